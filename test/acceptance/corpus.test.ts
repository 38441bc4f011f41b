/**
 * The main job, as a user does it: `burnline start`, every real document uploaded at once, good beside bad. The project's
 * own samples always; the larger corpus where it is beside the project.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { search, untilFinished, upload } from '#test/kit/client.ts';
import { type Running, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

const CORPUS = '../shared/corpus';
/** What a search must find each good document by: its own words. */
const PHRASES: Readonly<Record<string, string>> = {
  'annual-report-page.html': 'annual report shareholders',
  'norwich-city.txt': 'Norwich City football club',
  'war-and-peace.txt': 'Well, Prince, so Genoa and Lucca are now just family estates of the Buonapartes',
  'layout-parser-paper.pdf': 'layout detection deep learning document image analysis toolkit',
  'french-olap.pdf': 'entrepôt de données OLAP',
};
/** Whether text can be had of these depends on the parser; both ends are right. */
const EITHER = /failure-after-repair|invalid-structure|scanned-image-only/;
const REASONS: Readonly<Record<string, string>> = {
  'empty.pdf': 'empty',
  'password-protected.pdf': 'encrypted',
  'scanned-image-only.pdf': 'no_text',
  'spreadsheet-named.pdf': 'unsupported',
  'unsupported.p7s': 'unsupported',
  'truncated.docx': 'damaged',
  'truncated.pdf': 'damaged',
};

describe('the corpus through the whole product', {
  skip: !existsSync(CORPUS) && 'no corpus beside the project',
}, () => {
  const state = temporaryFolder();
  let stack: Running;
  let api = '';
  const ids = new Map<string, string>();
  before(async () => {
    stack = await startRole('start', { BURNLINE_STATE: state });
    api = stack.urls['api'] ?? '';
    await Promise.all(
      ['good', 'bad'].flatMap((kind) =>
        readdirSync(join(CORPUS, kind)).map(async (name) => {
          const answer = await upload(api, readFileSync(join(CORPUS, kind, name)), name);
          assert.equal(answer.status, 202, `${name}: ${JSON.stringify(answer.body)}`);
          ids.set(`${kind}/${name}`, answer.body.id);
        }),
      ),
    );
  });
  after(async () => {
    await stack.stop('SIGINT');
    removeFolder(state);
  });

  for (const name of existsSync(CORPUS) ? readdirSync(join(CORPUS, 'good')) : []) {
    test(`${name} is completed and found by its own words`, async () => {
      const id = ids.get(`good/${name}`) ?? '';
      const document = await untilFinished(api, id, 120_000);
      assert.equal(document.status, 'completed', JSON.stringify(document.error));
      assert((document.chunks ?? 0) > 0);
      const chunks = (await (await fetch(`${api}/v1/documents/${id}/chunks`)).json()) as { items: { text: string }[] };
      const text = chunks.items[Math.floor(chunks.items.length / 2)]?.text ?? '';
      const words = PHRASES[name] ?? text.slice(0, 300);
      const hits = await search(api, words, 10);
      assert(
        hits.some((hit) => hit.documentId === id),
        `"${words.slice(0, 60)}" finds ${hits.map((hit) => hit.text.slice(0, 40)).join(' | ')}`,
      );
    });
  }
  for (const name of existsSync(CORPUS) ? readdirSync(join(CORPUS, 'bad')) : []) {
    test(`${name} is rejected with its reason`, async () => {
      const document = await untilFinished(api, ids.get(`bad/${name}`) ?? '', 120_000);
      if (EITHER.test(name) && document.status === 'completed') return;
      assert.equal(document.status, 'rejected', JSON.stringify(document));
      const reason = REASONS[name];
      if (reason) assert.equal(document.error?.code, reason);
      assert.match(
        document.error?.message ?? '',
        /[.] [A-Z].*[.]$/,
        'a sentence about what is wrong, and one about what to do',
      );
    });
  }
});
