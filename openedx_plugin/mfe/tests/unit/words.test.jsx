import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { MESSAGES, languageOf, wordsIn } from '../../src/core/words';

const { en, th } = MESSAGES;
const forms = (message) => (typeof message === 'string' ? { other: message } : message);
const names = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((one) => one[1]).sort();

test('both languages have the same messages with the same values in them', () => {
  assert.deepEqual(Object.keys(th).sort(), Object.keys(en).sort());
  for (const key of Object.keys(en)) {
    assert.equal(typeof th[key], typeof en[key], key);
    assert.deepEqual(names(forms(th[key]).other), names(forms(en[key]).other), key);
  }
});

test('each has the plural forms of its language', () => {
  for (const [messages, wanted] of [[en, ['one', 'other']], [th, ['other']]]) {
    for (const [key, message] of Object.entries(messages)) {
      if (typeof message !== 'string') {
        assert.deepEqual(Object.keys(message).sort(), wanted, key);
      }
    }
  }
});

test('no English is left in Thai, no Thai in English, and nobody is addressed as a friend', () => {
  for (const [key, message] of Object.entries(th)) {
    const text = forms(message).other.replace(/\{\w+\}/g, '');
    assert.doesNotMatch(text, /[A-Za-z]/, key);
    assert.doesNotMatch(text.replace('คุณวุฒิ', '').replace('คุณค่า', ''), /คุณ/, key);
    assert.match(text.replace(/[\s·:.0-9]/g, '') || 'ก', /[฀-๿]/, key);
  }
  for (const [key, message] of Object.entries(en)) {
    assert.doesNotMatch(Object.values(forms(message)).join(), /[฀-๿]/, key);
  }
});

test('every message is used, and every message that is used is there', async () => {
  const folder = 'src/core/';
  const files = (await readdir(folder)).filter((name) => /\.jsx?$/.test(name));
  const sources = (await Promise.all(files.map((name) => readFile(folder + name, 'utf8')))).join('\n');
  // Kinds and states of the API that are messages' names, too.
  const named = new Set(['level1', 'level2', 'programme', 'suspended', 'expired']);
  for (const key of Object.keys(en)) {
    assert.ok(named.has(key) || sources.includes(`'${key}'`), `${key} is not used`);
  }
  for (const [, key] of sources.matchAll(/\bsay\('(\w+)'/g)) {
    assert.ok(key in en, `${key} is missing`);
  }
});

test('numbers choose the plural form and are written as the language writes them', () => {
  const english = wordsIn('en');
  assert.equal(english.say('hours', { count: '1' }), '1 hour');
  assert.equal(english.say('hours', { count: '1350.5' }), '1,350.5 hours');
  assert.equal(english.say('partsDone', { have: '0', need: '1' }), '0 of 1 part');
  assert.equal(wordsIn('th').say('hours', { count: '1350' }), '1,350 ชั่วโมง');
});

test('Thai readers see the Buddhist year without the name of the era', () => {
  assert.equal(wordsIn('th').day('2026-11-21T04:00:00Z'), '21 พ.ย. 2569');
  assert.match(wordsIn('en').day('2026-11-21T04:00:00Z'), /^21 Nov 2026$/);
});

test('any Thai locale is Thai, and everything else English', () => {
  assert.deepEqual(['th', 'th-TH', 'TH', 'en', 'en-GB', 'fr', '', undefined].map(languageOf), ['th', 'th', 'th', 'en', 'en', 'en', 'en', 'en']);
});

test('a name that is there in one language only is shown in that one', () => {
  assert.equal(wordsIn('th').text({ th: '', en: 'KMUTT' }), 'KMUTT');
  assert.equal(wordsIn('en').text({ th: 'มจธ.', en: '' }), 'มจธ.');
});
