/** The server under test, for the tests beside this file. BrowserE2eTest sets the variables. */

import { spawn } from 'node:child_process';

const { LLAVA_SERVE } = process.env;

/** A server process; `LLAVA_SERVE` is its command line as a JSON array, to which the port is added. */
export class Server {
  #process;

  constructor(port, more = []) {
    this.port = port;
    this.more = more;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts it and waits until it is ready. */
  async start() {
    const [command, ...args] = JSON.parse(LLAVA_SERVE);
    this.#process = spawn(command, [...args, '--port', String(this.port), ...this.more], { stdio: ['ignore', 'inherit', 'inherit'] });
    for (let i = 0; i < 600; i++) {
      if (await fetch(`${this.url}/health`).then((response) => response.ok, () => false)) return this;
      if (this.#process.exitCode !== null) throw new Error('the server ended');
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error('the server is not ready after a minute');
  }

  /** Kills it. */
  async stop() {
    const ended = new Promise((done) => this.#process.once('exit', done));
    this.#process.kill('SIGKILL');
    await ended;
  }
}
