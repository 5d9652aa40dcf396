/** The web page in a real browser, with the real server and a tiny model. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, browser, finished, give, open, picture, png } from './browser.mjs';
import { Server } from './server.mjs';

const port = Number(process.env.LLAVA_PORT);
const server = new Server(port);
before(() => server.start());
after(async () => {
  await browser.close();
  await server.stop();
});

const texts = (page, selector) => page.locator(selector).allTextContents();
const settings = (page, values) => page.evaluate((set) => localStorage.setItem('llava.settings', JSON.stringify(set)), values).then(() => page.reload());
const short = { system: '', temperature: 0, topP: 1, maxTokens: 20, seed: '' };

test('a question is answered as a stream, with usage and speed', async () => {
  const page = await open(server.url);
  await page.waitForFunction(() => document.querySelector('#model').dataset.state === 'ready');
  await picture(page, 'empty');
  await settings(page, { ...short, system: 'Be brief.', temperature: 0.5, topP: 0.9, seed: 7 });
  const [request] = await Promise.all([page.waitForRequest(/chat\/completions/), ask(page, 'what is in the image?')]);
  const body = request.postDataJSON();
  assert.equal(body.stream, true);
  assert.deepEqual([body.temperature, body.top_p, body.max_tokens, body.seed], [0.5, 0.9, 20, 7]);
  assert.deepEqual(body.messages, [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'what is in the image?' }]);
  assert.notEqual((await texts(page, '.answer .markdown'))[0].trim(), '');
  assert.match((await texts(page, '.usage'))[0], /tokens\/s · \d+ tokens · first after (0\.\d\d|[1-9]\d*\.\d) s · prompt \d+/);
  assert.deepEqual(page.problems, []);
});

test('images come by chooser, drop and paste, can be removed, and are sent with their bytes', async () => {
  const page = await open(server.url);
  await settings(page, short);
  const images = [await png(page, 'red.png', 'red'), await png(page, 'blue.png', 'blue')];
  await give(page, 'drop', images);
  await page.waitForSelector('#composer .thumbnails li:nth-child(2)');
  await give(page, 'paste', [await png(page, 'green.png', 'green')]);
  await page.waitForSelector('#composer .thumbnails li:nth-child(3)');
  await page.setInputFiles('#composer input[type=file]', [{ name: 'chosen.png', mimeType: 'image/png', buffer: Buffer.from(images[0].base64, 'base64') }]);
  await page.waitForSelector('#composer .thumbnails li:nth-child(4)');
  for (const name of ['blue.png', 'green.png', 'chosen.png']) await page.click(`#composer [aria-label="Remove ${name}"]`);
  await give(page, 'drop', [{ name: 'notes.txt', type: 'text/plain', base64: 'YQ==' }, { name: 'bad.png', type: 'image/png', base64: 'YQ==' }]);
  await page.waitForSelector('#composer .problem:visible');
  assert.match((await texts(page, '#composer .problem'))[0], /notes\.txt is not an image.*bad\.png is broken/);
  await picture(page, 'composing');
  const [request] = await Promise.all([page.waitForRequest(/chat\/completions/), ask(page, 'what colour?')]);
  assert.deepEqual(request.postDataJSON().messages, [{
    role: 'user',
    content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${images[0].base64}` } }, { type: 'text', text: 'what colour?' }],
  }]);
  assert.equal(await page.locator('.question .image img').count(), 1);
  assert.deepEqual(await texts(page, '.error'), []);
  await page.click('.question .image');
  await page.waitForSelector('#viewer[open] img');
  await page.keyboard.press('Escape');
  assert.deepEqual(page.problems, []);
});

test('Escape stops an answer, and what is there stays', async () => {
  const page = await open(server.url);
  await settings(page, { ...short, maxTokens: 15000 }); // greedy, this model never ends
  await page.fill('#prompt', 'what?');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('.answer .markdown')?.textContent.length > 5);
  assert.equal(await page.getAttribute('#composer .send', 'aria-label'), 'Stop the answer');
  await page.keyboard.press('Escape');
  await finished(page);
  assert.match((await texts(page, '.note'))[0], /You stopped this answer/);
  assert.ok((await texts(page, '.answer .markdown'))[0].length > 5);
  assert.deepEqual(page.problems, []);
});

test('an answer can be given again, a question edited; copies reach the clipboard', async () => {
  const page = await open(server.url);
  await settings(page, short);
  await ask(page, 'what is red?');
  const [first] = await texts(page, '.answer .markdown');
  await page.click('[aria-label="Answer again"]');
  await finished(page);
  await page.waitForFunction(() => document.querySelector('.note').textContent.includes('The same answer again'));
  assert.deepEqual(await texts(page, '.answer .markdown'), [first]);
  await ask(page, 'and blue?');
  assert.equal(await page.locator('[aria-label="Answer again"]:visible').count(), 1);

  await page.hover('.question >> nth=0');
  await page.click('[aria-label="Copy the question"] >> nth=0');
  await page.waitForFunction(() => document.querySelector('#announcer').textContent === 'Copied.');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'what is red?');

  await page.click('[aria-label="Edit the question"] >> nth=0');
  await page.keyboard.press('Escape');
  assert.deepEqual(await texts(page, '.question .bubble'), ['what is red?', 'and blue?']);
  await page.click('[aria-label="Edit the question"] >> nth=0');
  await page.keyboard.type(' or green?');
  await picture(page, 'editing');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('.question').length === 1);
  await finished(page);
  assert.deepEqual(await texts(page, '.question .bubble'), ['what is red? or green?']);
  assert.equal(await page.locator('.answer').count(), 1);
  assert.deepEqual(page.problems, []);
});

test('conversations with their images outlive a reload and can be deleted', async () => {
  const page = await open(server.url);
  await settings(page, short);
  await give(page, 'drop', [await png(page, 'red.png', 'red')]);
  await page.waitForSelector('#composer .thumbnails li');
  await ask(page, 'first question');
  const answers = await texts(page, '.answer .markdown');
  await page.click('#new-chat');
  await ask(page, 'second question');
  await page.reload();
  await page.waitForSelector('#conversations li:nth-child(2)');
  assert.deepEqual(await texts(page, '#conversations .open span:first-child'), ['second question', 'first question']);
  await page.click('#conversations .open >> nth=1');
  assert.deepEqual(await texts(page, '.answer .markdown'), answers);
  await page.waitForFunction(() => document.querySelector('.question .image img')?.naturalWidth === 60);
  await ask(page, 'and now?');
  assert.deepEqual(await texts(page, '.error'), []);
  await page.hover('#conversations li >> nth=0');
  await page.click('[aria-label="Delete first question"]');
  await page.click('#confirm .quiet');
  assert.equal(await page.locator('#conversations li').count(), 2);
  await page.hover('#conversations li >> nth=0');
  await page.click('[aria-label="Delete first question"]');
  await page.click('#confirm .danger');
  await page.waitForFunction(() => document.querySelectorAll('#conversations li').length === 1);
  await page.reload();
  await page.waitForSelector('#conversations li');
  assert.deepEqual(await texts(page, '#conversations .open span:first-child'), ['second question']);
  assert.equal(await page.evaluate(() => new Promise((done) => {
    indexedDB.open('llava4j').onsuccess = ({ target }) => {
      target.result.transaction('images').objectStore('images').count().onsuccess = (event) => done(event.target.result);
    };
  })), 0);
  assert.deepEqual(page.problems, []);
});

test('the server says what is wrong, and the page shows it', async () => {
  const page = await open(server.url);
  await settings(page, short);
  const refused = page.waitForResponse(/chat\/completions/);
  await ask(page, 'what is red? '.repeat(9000));
  const response = await refused;
  assert.ok(response.status() >= 400 && response.status() < 500);
  const { message } = (await response.json()).error;
  assert.equal((await texts(page, '.error p'))[0].toLowerCase(), `${message}.`.toLowerCase());
  await ask(page, 'what?');
  assert.equal(await page.locator('.error').count(), 1);
  assert.match((await texts(page, '.note'))[0], /Later questions were asked without this one/);
  await picture(page, 'error');
});

test('a server that is gone is named, and one that is back is noticed', async () => {
  const page = await open(server.url);
  await settings(page, short);
  await page.waitForFunction(() => document.querySelector('#model').dataset.state === 'ready');
  await server.stop();
  try {
    await ask(page, 'anybody there?');
    assert.match((await texts(page, '.error p'))[0], new RegExp(`The server at ${server.url} cannot be reached`));
    await page.waitForFunction(() => document.querySelector('#model').dataset.state === 'unreachable');
    await picture(page, 'unreachable');
  } finally {
    await server.start();
  }
  await page.waitForFunction(() => document.querySelector('#model').dataset.state === 'ready');
  await page.click('.error button');
  await finished(page);
  assert.deepEqual(await texts(page, '.error'), []);
  assert.deepEqual(page.problems, []);
});

test('a server that asks for a key gets it', async () => {
  const guarded = await new Server(Number(process.env.LLAVA_PORT_2), ['--api-key-file', process.env.LLAVA_KEY_FILE]).start();
  try {
    const page = await open(guarded.url);
    await page.waitForSelector('#key[open]');
    await picture(page, 'key');
    await page.fill('#key-value', 'secret-key');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => !['unknown model', 'connecting…'].includes(document.querySelector('#model-name').textContent));
    await ask(page, 'what?');
    assert.deepEqual(await texts(page, '.error'), []);
    assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes('secret-key')), false);
  } finally {
    await guarded.stop();
  }
});

for (const [name, options] of Object.entries({
  dark: { colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
})) {
  test(`it fits: ${name}`, async () => {
    const page = await open(server.url, options);
    await picture(page, `${name}-empty`);
    await settings(page, short);
    await page.click('#examples button');
    await page.waitForSelector('.answer');
    await finished(page);
    assert.deepEqual(await texts(page, '.error'), []);
    await picture(page, `${name}-answer`);
    const { width, wide, background, ink } = await page.evaluate(() => {
      const style = getComputedStyle(document.body);
      return { width: innerWidth, wide: document.documentElement.scrollWidth, background: style.backgroundColor, ink: style.color };
    });
    assert.ok(wide <= width, `${wide} > ${width}`);
    assert.ok(contrast(background, ink) > 7, `${background} ${ink}`);
    if (name === 'phone') {
      assert.equal(await page.locator('#sidebar').isVisible(), false);
      await page.click('#open-sidebar');
      await page.waitForSelector('#sidebar:visible');
      await page.keyboard.press('Escape');
      await page.waitForSelector('#sidebar', { state: 'hidden' });
    } else {
      await page.click('#theme');
      assert.equal(await page.getAttribute('#theme', 'aria-label'), 'Theme: light');
      assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), background);
    }
    assert.deepEqual(page.problems, []);
  });
}

function contrast(...colours) {
  const [a, b] = colours.map((colour) => {
    const [r, g, bl] = colour.match(/[\d.]+/g).map((each) => (Number(each) / 255) ** 2.2);
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl + 0.05;
  }).sort((x, y) => y - x);
  return a / b;
}

test('keyboard and screen reader: everything has a name, focus moves in order', async () => {
  const page = await open(server.url);
  await settings(page, short);
  await ask(page, 'what?');
  assert.match(await page.textContent('#announcer'), /^Answer: /);
  const nameless = await page.evaluate(() => Array.from(document.querySelectorAll('button, input, textarea, img, dialog'))
    .filter((each) => !(each.getAttribute('aria-label') || each.getAttribute('aria-labelledby') || each.hasAttribute('alt') || each.labels?.length || each.textContent.trim() || each.getAttribute('aria-hidden')))
    .map((each) => each.outerHTML));
  assert.deepEqual(nameless, []);
  await page.focus('.skip');
  const order = [];
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('Tab');
    order.push(await page.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.tagName));
  }
  assert.deepEqual(order, ['new-chat', 'open', 'icon', 'theme', 'open-settings']);
  await page.click('#open-settings');
  await page.fill('#max-tokens', '5');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'open-settings');
  await page.fill('#prompt', 'two');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('lines');
  assert.equal(await page.inputValue('#prompt'), 'two\nlines');
  const [request] = await Promise.all([page.waitForRequest(/chat\/completions/), page.keyboard.press('Enter')]);
  assert.equal(request.postDataJSON().max_tokens, 5);
  assert.equal(request.postDataJSON().messages.length, 3);
  await finished(page);
});

test('Markdown becomes nodes, and nothing in it becomes markup, a script or another address', async () => {
  const page = await open(server.url);
  const render = (text) => page.evaluate(async (source) => {
    const { renderMarkdown } = await import('./markdown.js');
    const box = document.createElement('div');
    for (let i = 1; i <= source.length; i += 7) renderMarkdown(box, source.slice(0, i)); // as a stream comes
    renderMarkdown(box, source);
    return box.innerHTML;
  }, text);
  const cases = {
    'a *b* **c** ***d*** `e*f*` ~~g~~': '<p>a <em>b</em> <strong>c</strong> <strong><em>d</em></strong> <code>e*f*</code> <del>g</del></p>',
    'snake_case_name 2 * 3 * 4 \\*x\\*': '<p>snake_case_name 2 * 3 * 4 *x*</p>',
    '# One\n\ntext\nnext': '<h3>One</h3><p>text<br>next</p>',
    '- a\n  - b\n- c\n\n3. d\n4. e': '<ul><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>c</p></li></ul><ol start="3"><li><p>d</p></li><li><p>e</p></li></ol>',
    '> quoted\n> more\n\n---': '<blockquote><p>quoted<br>more</p></blockquote><hr>',
    '[a](https://example.org/x_y) <https://example.org> https://example.org/z.': '<p>'
      + ['https://example.org/x_y|a', 'https://example.org|https://example.org', 'https://example.org/z|https://example.org/z'].map((each) => {
        const [href, text] = each.split('|');
        return `<a href="${href}" target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
      }).join(' ') + '.</p>',
  };
  for (const [source, html] of Object.entries(cases)) assert.equal(await render(source), html, source);
  assert.match(await render('| a | b |\n|:-:|--:|\n| 1 | 2 |'), /<th class="to-center">a<\/th><th class="to-end">b<\/th>.*<td class="to-center">1<\/td>/);
  assert.match(await render('```js\nlet a = "<b>";\n```'), /<span>js<\/span>.*<code>let a = "&lt;b&gt;";<\/code>/);
  for (const hostile of [
    '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '[x](javascript:alert(1))', '[x](data:text/html,<script>alert(1)</script>)',
    '![x](http://example.org/track.png)', '[x](" onclick="alert(1))', '`<b>`', '| <i>a</i> |\n|---|\n| <u>b</u> |', '[<b>](https://example.org)',
  ]) {
    const found = await page.evaluate(async (source) => {
      const box = document.createElement('div');
      (await import('./markdown.js')).renderMarkdown(box, source);
      return Array.from(box.querySelectorAll('*')).flatMap((each) => [each.tagName.toLowerCase(), ...Array.from(each.attributes, ({ name, value }) => `${name}=${value}`)]);
    }, hostile);
    const bad = found.filter((each) => /^(script|img|b|i|u|on.*|style=.*)$|^(src|srcset)=/.test(each) || (each.startsWith('href=') && !/^href=https?:/.test(each)));
    assert.deepEqual(bad, [], hostile);
  }
  const started = Date.now();
  for (const deep of ['['.repeat(20_000), '**a '.repeat(10_000), '>'.repeat(20_000), '`a'.repeat(10_000), '- '.repeat(5000), '|'.repeat(20_000)]) {
    await page.evaluate(async (source) => (await import('./markdown.js')).renderMarkdown(document.createElement('div'), source), deep);
  }
  assert.ok(Date.now() - started < 30_000);
  assert.deepEqual(page.problems, []);
});
