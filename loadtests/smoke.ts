/**
 * The first load test: a few people upload documents and follow each to its end. It says whether the stack works under a
 * little load, not how much it bears. Runs in k6, which strips the types itself.
 *
 *   npm run load:smoke                 against `npm start`
 *   BURNLINE_URL=… BURNLINE_KEY=…      against another; BURNLINE_KEY_FILE names a file that holds the key
 *   LOAD_USERS=3 LOAD_SECONDS=30       how many, for how long
 */
import { check, fail, sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import type { Options } from 'k6/options';

const BASE = __ENV['BURNLINE_URL'] ?? 'http://127.0.0.1:8080';
const keyFile = __ENV['BURNLINE_KEY_FILE'];
const key = keyFile === undefined ? __ENV['BURNLINE_KEY'] : open(keyFile).trim();
const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
const DOCUMENT = open('../samples/documents/good/invoice.pdf', 'b');
/** Seconds until a document is given up; the objective `documents-on-time` wants 30. */
const PATIENCE = 60;
const ENDED = ['completed', 'rejected', 'failed'];

const completed = new Rate('document_completed');
const duration = new Trend('document_duration', true);
const uploads = new Counter('documents_uploaded');

/** Those of the objectives documents-processed, documents-on-time and api-fast. */
export const options: Options = {
  scenarios: {
    smoke: {
      executor: 'constant-vus',
      exec: 'smoke',
      vus: Number(__ENV['LOAD_USERS'] ?? '3'),
      duration: `${__ENV['LOAD_SECONDS'] ?? '30'}s`,
      gracefulStop: `${PATIENCE}s`,
    },
  },
  thresholds: {
    checks: ['rate==1'],
    documents_uploaded: ['count>0'],
    document_completed: ['rate>=0.98'],
    document_duration: ['p(95)<30000'],
    'http_req_duration{name:document}': ['p(95)<200'],
  },
};

/** Throws before anybody begins: k6 ends with 107, and not with a page of failed requests. */
export function setup(): void {
  const { status } = http.get(`${BASE}/readyz`);
  if (status !== 200) throw new Error(`${BASE}/readyz answers ${status}: is it the document API, and does it run?`);
}

export function smoke(): void {
  const begun = Date.now();
  const id = upload();
  const status = untilEnded(id, begun);
  completed.add(status === 'completed');
  if (status === 'completed') duration.add(Date.now() - begun);
  check(status, { 'the document ends': (said) => said !== undefined && ENDED.includes(said) });
  sleep(1);
}

function upload(): string {
  const { idInTest } = exec.vu;
  const file = http.file(DOCUMENT, `invoice-${idInTest}-${exec.vu.iterationInInstance}.pdf`, 'application/pdf');
  // The same bytes each time; without this, only the first would be parsed.
  const headers = { ...authorization, 'Cache-Control': 'no-cache' };
  const answer = http.post(`${BASE}/v1/documents`, { file }, { headers, tags: { name: 'upload' } });
  if (!check(answer, { 'the upload is accepted': ({ status }) => status === 202 })) {
    completed.add(false);
    fail(`POST /v1/documents answers ${answer.status}: ${String(answer.body).slice(0, 200)}`);
  }
  uploads.add(1);
  return String(answer.json('id'));
}

/** @returns its last status. */
function untilEnded(id: string, begun: number): string | undefined {
  let status: string | undefined;
  while (Date.now() - begun < PATIENCE * 1_000) {
    const answer = http.get(`${BASE}/v1/documents/${id}`, { headers: authorization, tags: { name: 'document' } });
    if (check(answer, { 'the document is there': (one) => one.status === 200 })) status = String(answer.json('status'));
    if (status !== undefined && ENDED.includes(status)) return status;
    sleep(0.5);
  }
  return status;
}
