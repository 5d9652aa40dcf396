/** The clients of OpenAI and Ollama for JavaScript, as they come from npm, with the real server and a tiny model. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { Server } from './server.mjs';

const server = new Server(Number(process.env.LLAVA_PORT_3), ['--alias', 'tiny']);
before(() => server.start());
after(() => server.stop());

const image = readFileSync(process.env.LLAVA_IMAGE).toString('base64');
const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
const ollama = new Ollama({ host: server.url });
const question = [
  { type: 'text', text: 'what is in the image?' },
  { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
];
const request = { model: 'tiny', messages: [{ role: 'user', content: question }], temperature: 0, max_completion_tokens: 12 };

test('openai: a chat about an image, whole and streamed', async () => {
  const whole = await openai.chat.completions.create(request);
  const text = whole.choices[0].message.content;
  assert.notEqual(text, '');
  assert.equal(whole.usage.prompt_tokens_details.image_tokens, 4);
  assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);

  let streamed = '';
  let usage = null;
  for await (const chunk of await openai.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } })) {
    streamed += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.equal(streamed, text);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
});

test('openai: responses, whole and streamed', async () => {
  const input = [{ role: 'user', content: [
    { type: 'input_text', text: 'what is in the image?' },
    { type: 'input_image', image_url: `data:image/png;base64,${image}`, detail: 'auto' },
  ] }];
  const parameters = { model: 'tiny', input, temperature: 0, max_output_tokens: 12 };
  const whole = await openai.responses.create(parameters);
  assert.notEqual(whole.output_text, '');
  let streamed = '';
  let last = null;
  for await (const event of await openai.responses.create({ ...parameters, stream: true })) {
    if (event.type === 'response.output_text.delta') streamed += event.delta;
    last = event;
  }
  assert.equal(streamed, whole.output_text);
  assert.ok(['response.completed', 'response.incomplete'].includes(last.type), last.type);
});

test('openai: JSON of a schema, models, and errors of its own kinds', async () => {
  const schema = { type: 'object', properties: { kind: { enum: ['animal', 'food'] } }, required: ['kind'], additionalProperties: false };
  const answer = await openai.chat.completions.create({
    ...request, max_completion_tokens: 400, response_format: { type: 'json_schema', json_schema: { name: 'thing', schema } },
  });
  assert.ok(['animal', 'food'].includes(JSON.parse(answer.choices[0].message.content).kind));
  const names = [];
  for await (const model of openai.models.list()) names.push(model.id);
  assert.deepEqual(names, ['tiny']);
  await assert.rejects(openai.chat.completions.create({ ...request, n: 2 }), (error) => error instanceof OpenAI.BadRequestError && /n/.test(error.message));
  await assert.rejects(openai.chat.completions.create({ ...request, model: 'gpt' }), OpenAI.NotFoundError);
});

test('openai: an answer that is left is no longer written', async () => {
  const stream = await openai.chat.completions.create({ ...request, max_completion_tokens: 15000, stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0].delta.content) break; // closes the connection
  }
  for (let i = 0; ; i++) {
    const metrics = await fetch(`${server.url}/metrics`).then((response) => response.text());
    const running = /^llava_\w*running\w* (\S+)$/m.exec(metrics);
    assert.ok(running, metrics);
    if (Number(running[1]) === 0) break;
    assert.ok(i < 100, 'the answer is still written after 10 s');
    await new Promise((done) => setTimeout(done, 100));
  }
});

test('ollama: chat, generate, list and show', async () => {
  const chat = { model: 'tiny', messages: [{ role: 'user', content: 'what is in the image?', images: [image] }], options: { temperature: 0, num_predict: 12 } };
  const whole = await ollama.chat(chat);
  assert.notEqual(whole.message.content, '');
  assert.equal(whole.done, true);
  let streamed = '';
  for await (const part of await ollama.chat({ ...chat, stream: true })) streamed += part.message.content;
  assert.equal(streamed, whole.message.content);
  const generated = await ollama.generate({ model: 'tiny', prompt: 'what is in the image?', images: [image], options: chat.options });
  assert.equal(generated.response, whole.message.content);
  assert.equal((await ollama.list()).models.length, 1);
  assert.ok((await ollama.show({ model: 'tiny' })).capabilities.includes('vision'));
  await assert.rejects(ollama.chat({ ...chat, options: { mirostat: 2 } }), /mirostat/);
});
