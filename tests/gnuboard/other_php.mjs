// Reads {"files": {path: text}, "run": path, "input": text, "include": [path, …]} on standard input and, for
// each PHP version named on the command line, includes each file on its own and runs one with the input.
// Prints {version: {"php": "7.4.31", "wrong": [[path, what it said], …], "said": text}}.
// PHP_WASM is a node_modules folder with @php-wasm/node and @php-wasm/universal.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

const room = process.env.PHP_WASM + '/@php-wasm/';
const { loadNodeRuntime } = await import(pathToFileURL(room + 'node/index.js'));
const { PHP } = await import(pathToFileURL(room + 'universal/index.js'));
const asked = JSON.parse(readFileSync(0, 'utf8'));
const strict = "error_reporting(E_ALL); ini_set('display_errors', '1'); ini_set('html_errors', '0');";
const answers = {};

for (const version of process.argv.slice(2)) {
  const php = new PHP(await loadNodeRuntime(version));
  for (const [path, text] of Object.entries(asked.files)) {
    php.mkdir(dirname(path));
    php.writeFile(path, text);
  }
  php.writeFile('/input', asked.input);
  const run = async (code) => {
    try {
      const done = await php.run({ code: `<?php ${strict} ${code}` });
      return done.text + (done.exitCode ? ` [exit ${done.exitCode}] ${done.errors}` : '');
    } catch (error) {
      return String(error.message);
    }
  };
  const wrong = [];
  for (const path of asked.include) {
    const said = await run(`include ${JSON.stringify(path)};`);
    if (said.trim() !== '') { wrong.push([path, said]); }
  }
  answers[version] = {
    php: await run('echo PHP_VERSION;'),
    wrong,
    said: await run(`define('STDIN', fopen('/input', 'r')); include ${JSON.stringify(asked.run)};`),
  };
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
