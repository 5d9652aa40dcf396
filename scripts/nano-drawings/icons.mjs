// Writes every icon named in categories.tsv as OUT/<set>/<entry>.svg.
// usage: node icons.mjs NODE_MODULES CATEGORIES_TSV OUT
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [modules, categories, out] = process.argv.slice(2);
const [header, ...rows] = readFileSync(categories, 'utf8').trimEnd().split('\n').map((l) => l.split('\t'));
const firstSet = header.indexOf('article') + 1;

header.slice(firstSet).forEach((set, i) => {
  const icons = JSON.parse(readFileSync(join(modules, '@iconify-json', set, 'icons.json'), 'utf8'));
  mkdirSync(join(out, set), { recursive: true });
  for (const row of rows) {
    for (const entry of (row[firstSet + i] ?? '').split('|').filter(Boolean)) {
      const alias = icons.aliases?.[entry];
      if (alias && (alias.hFlip || alias.vFlip || alias.rotate)) throw new Error(`${set}/${entry}: alias with a transform`);
      const icon = icons.icons[alias ? alias.parent : entry];
      if (!icon) throw new Error(`${set}/${entry}: no such icon (category ${row[0]})`);
      const width = icon.width ?? icons.width ?? 16;
      const height = icon.height ?? icons.height ?? 16;
      const box = `${icon.left ?? 0} ${icon.top ?? 0} ${width} ${height}`;
      writeFileSync(
        join(out, set, `${entry}.svg`),
        `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="${box}" width="${width}" height="${height}">${icon.body}</svg>\n`,
      );
    }
  }
});
