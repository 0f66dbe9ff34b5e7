// Compile and pack into the folder of the Tutor plugin, which carries the package: node pack.mjs [--check]
// The committed file is replaced only when the contents differ, since each gzip writes other bytes.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

const FOLDER = '../mooc_microcred_tutor/mfe';
const check = process.argv.includes('--check');
const made = await mkdtemp(path.join(tmpdir(), 'mcw-'));
try {
  execFileSync(process.execPath, ['build.mjs'], { stdio: 'inherit' });
  execFileSync('npm', ['pack', '--silent', '--pack-destination', made], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [name] = await readdir(made);
  const packed = gunzipSync(await readFile(path.join(made, name)));
  const there = (await readdir(FOLDER)).filter((one) => one.endsWith('.tgz'));
  const same = there.length === 1 && there[0] === name
    && gunzipSync(await readFile(path.join(FOLDER, name))).equals(packed);
  if (same) {
    process.stdout.write(`${name} is what the sources compile to.\n`);
  } else if (check) {
    process.stderr.write(`${FOLDER}/${name} is not what the sources compile to: run "make mfe" and commit it.\n`);
    process.exitCode = 1;
  } else {
    await Promise.all(there.map((one) => rm(path.join(FOLDER, one))));
    copyFileSync(path.join(made, name), path.join(FOLDER, name));
    process.stdout.write(`${name} is packed; commit it.\n`);
  }
} finally {
  await rm(made, { recursive: true });
}
