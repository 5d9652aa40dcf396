/** The server's API, as far as the page uses it. Paths are relative, so the page also works below a prefix. */

const SERVER = new URL('.', document.baseURI);

/** Where the server is, for messages. */
export const address = SERVER.href.replace(/\/$/, '');

/** What went wrong, in a sentence that names the cause. `kind`: unreachable, broken, loading, key, busy, refused. */
export class ServerError extends Error {
  constructor(kind, message, retryAfter = null) {
    super(message);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

/** The API key of this tab, or an empty string. */
export const key = {
  get value() { return sessionStorage.getItem('llava.key') ?? ''; },
  set value(text) { text ? sessionStorage.setItem('llava.key', text) : sessionStorage.removeItem('llava.key'); },
};

/** 'ready', 'loading' or 'unreachable'. */
export async function health() {
  try {
    const response = await fetch(new URL('health', SERVER), { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    return response.ok ? 'ready' : response.status === 503 ? 'loading' : 'unreachable';
  } catch {
    return 'unreachable';
  }
}

/** Waits until the server no longer loads its model. */
export async function loaded(signal) {
  while ((await health()) === 'loading') {
    await new Promise((done) => setTimeout(done, 1000));
    signal.throwIfAborted();
  }
}

/** Name of the served model. */
export async function modelName() {
  const models = await (await call('v1/models', {})).json();
  return models.data[0].id;
}

/**
 * The chunks of a streamed answer, each an object of the chat completions API.
 *
 * @throws ServerError with the server's own words where it gave any
 */
export async function* stream(request, signal) {
  const response = await call('v1/chat/completions', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  let finished = false;
  try {
    for await (const data of events(response.body)) {
      if (data === '[DONE]') {
        finished = true;
        continue;
      }
      const chunk = JSON.parse(data);
      if (chunk.error) throw new ServerError('refused', chunk.error.message);
      yield chunk;
    }
  } catch (cause) {
    if (signal.aborted || cause instanceof ServerError) throw cause;
    throw await broken();
  }
  if (!finished) throw await broken();
}

async function broken() {
  const now = await health();
  return new ServerError(now === 'unreachable' ? 'unreachable' : 'broken', now === 'unreachable'
    ? `The connection broke while the answer was being written, and the server at ${address} can no longer be reached. Check that llava serve is still running.`
    : `The connection to ${address} broke while the answer was being written.`);
}

async function call(path, options) {
  const headers = { ...options.headers, ...(key.value ? { Authorization: `Bearer ${key.value}` } : {}) };
  let response;
  try {
    response = await fetch(new URL(path, SERVER), { ...options, headers, cache: 'no-store' });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    if ((await health()) === 'unreachable') {
      throw new ServerError('unreachable', `The server at ${address} cannot be reached. Check that llava serve is still running there.`);
    }
    // A server that refuses a large body early closes the connection, and the browser hides its answer.
    const size = options.body ? ` of ${(options.body.length / 1e6).toFixed(1)} MB` : '';
    throw new ServerError('broken', `The server at ${address} is running, but closed the connection before it had read the request${size}. If that is more than it accepts, send fewer or smaller images.`);
  }
  if (response.ok) return response;
  const said = await reason(response);
  const retryAfter = Number(response.headers.get('Retry-After')) || null;
  const kind = { 401: 'key', 403: 'key', 429: 'busy', 503: 'loading' }[response.status] ?? 'refused';
  throw new ServerError(kind === 'loading' && (await health()) === 'ready' ? 'busy' : kind, said, retryAfter);
}

/** The message of an error body; of a body of another kind, such as a proxy's page, the status and its first words. */
async function reason(response) {
  const body = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(body);
    const message = error?.message ?? error;
    if (typeof message === 'string' && message) return message;
  } catch { /* not JSON */ }
  const words = body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 200);
  return `The server answered ${response.status} ${response.statusText}`.trim() + (words ? `: ${words}` : '.');
}

/** The data of each server-sent event. */
async function* events(body) {
  let rest = '';
  for await (const text of texts(body)) {
    const parts = (rest + text).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const data = part.split(/\r?\n/).filter((line) => line.startsWith('data:')).map((line) => line.slice(5).replace(/^ /, ''));
      if (data.length) yield data.join('\n');
    }
  }
}

/** Streams cannot be iterated in every browser, so they are read by hand. */
async function* texts(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
