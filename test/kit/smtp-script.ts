/** A mail server that says at each step what the test wrote for it; `cut` ends the connection there. */
import { type AddressInfo, createServer, type Socket } from 'node:net';

export type Step = 'greeting' | 'EHLO' | 'AUTH' | 'STARTTLS' | 'MAIL' | 'RCPT' | 'DATA' | 'text' | 'QUIT';
/** `{said}` stands for what the client said. */
export type Script = Partial<Record<Step, string>>;
export type ScriptedMail = AsyncDisposable & {
  readonly port: number;
  script: Script;
  readonly heard: string[];
};

const USUAL: Record<Step, string> = {
  greeting: '220 scripted',
  EHLO: '250-scripted\r\n250 AUTH PLAIN',
  AUTH: '235 2.7.0 welcome',
  STARTTLS: '502 5.5.1 no such command',
  MAIL: '250 ok',
  RCPT: '250 ok',
  DATA: '354 go on',
  text: '250 queued',
  QUIT: '221 bye',
};

export async function startScriptedMail(): Promise<ScriptedMail> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    const say = (step: Step, said: string) => {
      const words = mail.script[step] ?? USUAL[step];
      if (words === 'cut') socket.destroy();
      else if (words !== 'silence') socket.write(`${words.replace('{said}', said)}\r\n`);
      return words.startsWith('354');
    };
    let rest = '';
    let text = false;
    say('greeting', '');
    socket.on('data', (piece) => {
      rest += piece;
      for (;;) {
        const mark = text ? '\r\n.\r\n' : '\r\n';
        const end = rest.indexOf(mark);
        if (end < 0) return;
        const said = rest.slice(0, end);
        rest = rest.slice(end + mark.length);
        mail.heard.push(said);
        text = say(text ? 'text' : stepOf(said), said);
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const mail: ScriptedMail = {
    port: (server.address() as AddressInfo).port,
    script: {},
    heard: [],
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
  return mail;
}

const STEPS: readonly Step[] = ['EHLO', 'AUTH', 'STARTTLS', 'MAIL', 'RCPT', 'DATA', 'QUIT'];
const stepOf = (said: string): Step => STEPS.find((step) => said.toUpperCase().startsWith(step)) ?? 'EHLO';
