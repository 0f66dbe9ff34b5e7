import assert from 'node:assert/strict';
import { test } from 'node:test';
import { courseOfCard, coursesSeen, watchClient, watchShell } from '../../src/core/courses';
import { linkTo } from '../../src/core/links';

const LIST = 'https://lms.example.org/api/learner_home/init/';
const data = { courses: [{ courseRun: { courseId: 'course-v1:A+1+x' } }, { courseRun: null }, { courseRun: { courseId: 'course-v1:A+2+x' } }] };

test('the list of courses is known by its address, with who is looked at', () => {
  assert.deepEqual(coursesSeen({ config: { url: LIST }, data }), { masquerading: false, courseKeys: ['course-v1:A+1+x', '', 'course-v1:A+2+x'] });
  assert.equal(coursesSeen({ config: { url: LIST.slice(0, -1) }, data }).masquerading, false);
  assert.equal(coursesSeen({ config: { url: `${LIST}?user=somying` }, data }).masquerading, true);
  assert.equal(coursesSeen({ config: { url: LIST, params: { user: 'somying' } }, data }).masquerading, true);
  assert.equal(coursesSeen({ config: { url: 'https://lms.example.org/api/user/v1/me' }, data: {} }), null);
});

test('a card is about the course at its place, or the one that it names', () => {
  const keys = coursesSeen({ config: { url: LIST }, data }).courseKeys;
  assert.equal(courseOfCard(keys, { cardId: 'card-2' }), 'course-v1:A+2+x');
  assert.equal(courseOfCard(keys, { cardId: 'card-1' }), '');
  assert.equal(courseOfCard(keys, { cardId: 'card-7' }), '');
  assert.equal(courseOfCard(keys, { cardId: 'other' }), '');
  assert.equal(courseOfCard(keys, { cardId: 'card-0', courseId: 'course-v1:A+9+x' }), 'course-v1:A+9+x');
});

function client() {
  const uses = [];
  return { uses, interceptors: { response: { use: (good) => uses.push(good) } } };
}

test('a client is watched once, and its answers pass unchanged', () => {
  const one = client();
  const seen = [];
  watchClient(one, (found) => seen.push(found));
  watchClient(one, (found) => seen.push(found));
  assert.equal(one.uses.length, 1);
  const response = { config: { url: LIST }, data };
  assert.equal(one.uses[0](response), response);
  one.uses[0]({ config: { url: '/other' } });
  assert.equal(seen.length, 1);
});

test('a shell is watched from when it has a client', () => {
  const one = client();
  let ready = false;
  const told = {};
  const shell = {
    getAuthService: () => {
      if (!ready) {
        throw new Error('You must first configure the auth service.');
      }
    },
    getAuthenticatedHttpClient: () => one,
    subscribe: (topic, listener) => { told[topic] = listener; },
  };
  watchShell(shell, 'APP.AUTH_INITIALIZED', () => {});
  assert.equal(one.uses.length, 0);
  ready = true;
  told['APP.AUTH_INITIALIZED']();
  assert.equal(one.uses.length, 1);
});

test('only addresses of the web become links', () => {
  assert.equal(linkTo('/microcred/', 'https://lms.example.org'), 'https://lms.example.org/microcred/');
  assert.equal(linkTo('https://other.example.org/x', 'https://lms.example.org'), 'https://other.example.org/x');
  assert.equal(linkTo('javascript:alert(1)', 'https://lms.example.org'), '');
  assert.equal(linkTo('', 'https://lms.example.org'), '');
});
