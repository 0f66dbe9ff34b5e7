import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { readersLocale } from '../../src/core/locale';

const NAME = 'openedx-language-preference';
const english = () => 'en';
const prefer = (value, age = 60) => { document.cookie = `${NAME}=${value}; max-age=${age}`; };

afterEach(() => prefer('', 0));

test('what the learner prefers counts, also in a shell that has no catalogue for it', () => {
  document.cookie = `other-${NAME}=fr`;
  assert.equal(readersLocale(NAME, english), 'en');
  prefer('th');
  assert.equal(readersLocale(NAME, english), 'th');
  prefer('en');
  assert.equal(readersLocale(NAME, () => 'th'), 'en');
});

test('without a preference, or a name for it, the shell says', () => {
  assert.equal(readersLocale(NAME, () => 'th'), 'th');
  prefer('th');
  assert.equal(readersLocale(undefined, english), 'en');
});

test('a shell that has no translations has the language of its document', () => {
  document.documentElement.lang = 'th';
  assert.equal(readersLocale(NAME, () => { throw new Error('called before configuring'); }), 'th');
});
