/** A browser for the tests beside this file. BrowserE2eTest sets the variables. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const { LLAVA_CHROMIUM, LLAVA_OUT } = process.env;

export const browser = await chromium.launch({ executablePath: LLAVA_CHROMIUM, args: ['--no-sandbox'] });

/** A page with an empty history; whatever the page's own scripts throw is collected in `page.problems`. */
export async function open(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => /Content.Security.Policy/i.test(message.text()) && page.problems.push(message.text()));
  await page.goto(url);
  return page;
}

/** Asks a question and waits for the end of the answer. */
export async function ask(page, text) {
  const before = await page.locator('.answer').count();
  await page.fill('#prompt', text);
  await page.keyboard.press('Enter');
  await page.waitForFunction((count) => document.querySelectorAll('.answer').length > count, before);
  await finished(page);
}

/** Waits until no answer is being written and the last one is drawn, which takes a frame. */
export async function finished(page) {
  await page.waitForFunction(() => document.querySelector('#composer .send').getAttribute('aria-label') === 'Send', null, { timeout: 60_000 });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Keeps a picture of the page for people to look at. */
export async function picture(page, name) {
  mkdirSync(LLAVA_OUT, { recursive: true });
  await page.screenshot({ path: join(LLAVA_OUT, `${name}.png`) });
}

/** Gives the page image files by `drop` or `paste`, as the operating system would. */
export function give(page, how, files) {
  return page.evaluate(async ([event, images]) => {
    const transfer = new DataTransfer();
    for (const { name, type, base64 } of images) {
      transfer.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name, { type }));
    }
    const target = event === 'paste' ? document.querySelector('#prompt') : document.querySelector('#scroller');
    if (event === 'drop') {
      for (const each of ['dragenter', 'dragover', 'drop']) target.dispatchEvent(new DragEvent(each, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    } else {
      target.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
    }
  }, [how, files]);
}

/** A PNG of one colour, made by the browser. */
export function png(page, name, colour) {
  return page.evaluate(([title, fill]) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 60, height: 40 });
    const pen = canvas.getContext('2d');
    pen.fillStyle = fill;
    pen.fillRect(0, 0, 60, 40);
    return { name: title, type: 'image/png', base64: canvas.toDataURL('image/png').split(',')[1] };
  }, [name, colour]);
}
