import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import React from 'react';
import {
  act, cleanup, fireEvent, render, screen, within,
} from '@testing-library/react';
import { createWidget } from '../../src/core';
import {
  BADGE, EMPTY, FULL, LADDER, RUN, STEP,
} from './answers';

const { connect } = globalThis;
let asked;
let waiting;
let locale;
let user;
let courses;

// The shell: each read waits until the test answers it.
function widget() {
  const listeners = [];
  courses = (seen) => act(() => listeners.forEach((one) => one(seen)));
  return createWidget({
    fetchJson: (address, options) => {
      asked.push([address, options.locale]);
      return new Promise((resolve, reject) => { waiting.push({ resolve, reject }); });
    },
    locale: () => locale,
    lmsBaseUrl: () => 'https://lms.example.org',
    signedIn: () => user,
    watchCourses: (listener) => listeners.push(listener),
  });
}

const answer = (data) => act(async () => { waiting.shift().resolve(data); });
const fail = (status) => act(async () => { waiting.shift().reject(Object.assign(new Error('no'), { status })); });
const text = () => document.body.textContent;

beforeEach(() => {
  asked = [];
  waiting = [];
  locale = 'en';
  user = true;
  connect(true);
});
afterEach(cleanup);

test('it says that it loads, and then shows step, ladder, worth and badges', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  assert.equal(screen.getByRole('status').textContent, 'Your micro-credentials are being loaded.');
  await answer(FULL);
  assert.equal(screen.getByRole('status').textContent, '');
  assert.deepEqual(asked, [['https://lms.example.org/api/mooc_microcred/v1/my/dashboard/?lang=en', 'en']]);

  const panel = within(screen.getByRole('region', { name: 'My micro-credentials' }));
  const button = panel.getByRole('link', { name: 'Continue the course' });
  assert.equal(button.getAttribute('href'), STEP.url);
  assert.match(text(), /Continue the course: 3 of 10 units are done\./);
  assert.match(text(), /It leads to: Basics 2/);

  const stages = panel.getAllByRole('list')[0].querySelectorAll('li');
  assert.deepEqual([...stages].map((one) => one.querySelector('.mcw__about').textContent), [
    'Level 1: completionyou are here · 1 of 3',
    'Standard exampartly done · 1 of 3',
    'Level 2: achievementpartly done · 1 of 3',
    'Programmepartly done · 1 of 3',
    'Credit bankstill to come · 0 of 9 credits',
  ]);
  assert.equal(document.querySelectorAll('[aria-current=step]').length, 1);
  assert.equal(stages[0].getAttribute('aria-current'), 'step');
  const bar = panel.getByRole('progressbar', { name: '1 of 3 parts' });
  assert.equal(bar.value, 33);
  assert.match(text(), /135 hours · 9 credits · NQF level 6/);
  assert.match(text(), /Accepted by: KMUTT/);

  assert.equal(panel.getByRole('link', { name: 'Python basics' }).getAttribute('href'), BADGE.url);
  assert.equal(document.querySelector('img').src, 'https://lms.example.org/microcred/badges/1.svg');
  assert.match(text(), /One badge/);
  assert.match(text(), /earned on 21 Nov 2026/);
  assert.equal(panel.getByRole('link', { name: 'All my credentials' }).getAttribute('href'), 'https://lms.example.org/microcred/');
});

test('it is all Thai for Thai readers', async () => {
  locale = 'th';
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  await answer({ ...FULL, ladders: [{ ...LADDER, step: { ...STEP, text: 'เรียนต่อ', course_title: 'ไพทอน 2' } }] });
  assert.deepEqual(asked.map((one) => one[1]), ['th']);
  assert.equal(document.querySelector('section').lang, 'th');
  assert.match(text(), /21 พ\.ย\. 2569/);
  assert.match(text(), /ท่านอยู่ขั้นนี้/);
  assert.doesNotMatch(text(), /[A-Za-z]/);
});

test('a programme that is awarded has all its stages done, and the credit may still be to come', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  const stages = LADDER.stages.map((one) => ({ ...one, state: one.kind === 'credit' ? 'now' : 'done', have: one.kind === 'credit' ? '0' : one.need }));
  await answer({ ...FULL, ladders: [{ ...LADDER, earned: true, step: null, percent: 100, have: '3', stages }] });
  assert.match(text(), /Completed programme/);
  assert.equal(document.querySelectorAll('.mcw__rung--done').length, 4);
  assert.equal(screen.queryByText('Next step'), null);
});

test('where parts may be chosen, what is done is counted and nothing else', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  const stages = [{ kind: 'level1', state: 'now', have: '2', need: null }, { kind: 'programme', state: 'open', have: '4', need: '9' }];
  await answer({ ...FULL, ladders: [{ ...LADDER, unit: 'credits', have: '4', need: '9', stages }] });
  assert.match(text(), /you are here · 2 done/);
  assert.match(text(), /partly done · 4 of 9 credits/);
});

test('of several programmes the first is shown and the others are counted', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  await answer({ ...FULL, ladders: [LADDER, { ...LADDER, code: 'b' }, { ...LADDER, code: 'c' }] });
  assert.equal(document.querySelectorAll('progress').length, 1);
  const more = screen.getByRole('link', { name: '2 more programmes' });
  assert.equal(more.getAttribute('href'), 'https://lms.example.org/microcred/programmes/');
});

test('of many badges the newest are shown and all are counted', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  await answer({ ...FULL, badge_count: 1000 });
  assert.match(text(), /1,000 badges · The newest 1 are shown here\./);
});

test('what is not valid says so', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  await answer({ ...FULL, badges: [{ ...BADGE, state: 'suspended', url: '' }] });
  assert.match(text(), /suspended/);
  assert.equal(screen.queryByRole('link', { name: 'Python basics' }), null);
});

test('a step without a page of its own leads to the page of programmes', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  await answer({ ...EMPTY, steps: [{ ...STEP, url: '', action: 'wait_for_certificate' }] });
  const button = screen.getByRole('link', { name: 'See what is missing' });
  assert.equal(button.getAttribute('href'), 'https://lms.example.org/microcred/programmes/');
});

test('who has nothing yet is told what to do', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  await answer(EMPTY);
  assert.match(text(), /Nothing earned yet\./);
  assert.ok(screen.getByRole('link', { name: 'All my credentials' }));
});

test('where the platform is away, it says that only badges are shown', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  await answer({ ...FULL, complete: false, ladders: [], courses: {} });
  assert.match(screen.getByRole('status').textContent, /only what you have earned is shown/);
  assert.match(text(), /Python basics/);
});

for (const status of [401, 403, 404]) {
  test(`an answer of ${status} leaves no trace, and is not asked for again`, async () => {
    const { MicrocredPanel, MicrocredCourseCard } = widget();
    const drawn = render(<MicrocredPanel />);
    await fail(status);
    assert.equal(document.querySelector('.mcw'), null);
    drawn.unmount();
    render(<><MicrocredPanel /><MicrocredCourseCard cardId="card-0" /></>);
    assert.equal(text(), '');
    assert.equal(asked.length, 1);
  });
}

test('a page that is no answer of ours is a failure, not a crash', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  await answer('<!doctype html>');
  assert.equal(screen.getByRole('status').textContent, 'Your micro-credentials could not be loaded.');
});

test('an answer of another version takes nothing of the dashboard with it', async (context) => {
  context.mock.method(console, 'error', () => {});
  const { MicrocredPanel } = widget();
  render(<><p>the dashboard</p><MicrocredPanel /></>);
  await answer({ complete: true, badges: [{}] });
  assert.equal(text(), 'the dashboard');
});

test('a failure can be tried again, by button only', async () => {
  const { MicrocredPanel, MicrocredCourseCard } = widget();
  const drawn = render(<MicrocredPanel />);
  await fail(500);
  assert.equal(screen.getByRole('status').textContent, 'Your micro-credentials could not be loaded.');
  drawn.rerender(<><MicrocredPanel /><MicrocredCourseCard cardId="card-0" /></>);
  assert.equal(asked.length, 1);
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  assert.match(screen.getByRole('status').textContent, /being loaded/);
  await answer(FULL);
  assert.match(text(), /Python basics/);
  assert.equal(asked.length, 2);
});

test('who is offline reads that, and sees it all when the connection is back', async () => {
  connect(false);
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  await fail(undefined);
  assert.match(screen.getByRole('status').textContent, /^You are offline\./);
  assert.equal(screen.queryByRole('button'), null);
  await act(async () => connect(true));
  await answer(FULL);
  assert.match(text(), /Python basics/);
  assert.equal(asked.length, 2);
});

test('who goes offline keeps what is there, with a note of its age', async () => {
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  await answer(FULL);
  act(() => connect(false));
  assert.match(screen.getByRole('status').textContent, /^You are offline\. This is how it was at \d\d:\d\d\.$/);
  assert.match(text(), /Python basics/);
  act(() => connect(true));
  assert.equal(screen.getByRole('status').textContent, '');
  assert.equal(asked.length, 1);
});

test('a later failure keeps what is there, and says how old it is', async (context) => {
  const { MicrocredPanel } = widget();
  const drawn = render(<MicrocredPanel />);
  await answer(FULL);
  drawn.unmount();
  const later = Date.now() + 10 * 60 * 1000;
  context.mock.method(Date, 'now', () => later);
  render(<MicrocredPanel />);
  await fail(503);
  assert.match(screen.getByRole('status').textContent, /^They could not be loaded anew\. This is how it was at/);
  assert.match(text(), /Python basics/);
  assert.ok(screen.getByRole('button', { name: 'Try again' }));
});

test('panel and cards ask once, and what is fresh is not asked for anew', async () => {
  const { MicrocredPanel, MicrocredCourseCard } = widget();
  const everything = (
    <>
      <MicrocredCourseCard cardId="card-0" />
      <MicrocredCourseCard cardId="card-1" />
      <MicrocredPanel />
    </>
  );
  const drawn = render(everything);
  courses({ masquerading: false, courseKeys: [RUN, 'course-v1:KMUTT+NONE+2026'] });
  await answer(FULL);
  drawn.unmount();
  render(everything);
  assert.equal(asked.length, 1);
  assert.equal(document.querySelectorAll('.mcw--card').length, 1);
});

test('a card says what its course leads to, and what of it is earned', async () => {
  const { MicrocredCourseCard } = widget();
  render(<MicrocredCourseCard cardId="card-0" />);
  courses({ masquerading: false, courseKeys: [RUN] });
  assert.equal(text(), '');
  await answer(FULL);
  const items = within(screen.getByRole('list', { name: 'This course leads to' })).getAllByRole('listitem');
  assert.match(items[0].textContent, /Python basicsLevel 1: completion · Earned45 hours · 3 credits/);
  assert.match(items[1].textContent, /Python examLevel 2: achievement · Not earned yet45 hours · NQF level 6/);
  assert.equal(within(items[0]).getByRole('link').getAttribute('href'), BADGE.url);
});

test('staff who look at the dashboard of somebody else see none of their own', async () => {
  const { MicrocredPanel, MicrocredCourseCard } = widget();
  render(<><MicrocredPanel /><MicrocredCourseCard cardId="card-0" /></>);
  await answer(FULL);
  courses({ masquerading: true, courseKeys: [RUN] });
  assert.equal(text(), '');
  courses({ masquerading: false, courseKeys: [RUN] });
  assert.match(text(), /This course leads to/);
});

test('nobody who is not signed in is asked about', () => {
  user = false;
  const { MicrocredPanel } = widget();
  render(<MicrocredPanel />);
  assert.equal(text(), '');
  assert.equal(asked.length, 0);
});

test('in another language it is asked for anew, and the answer of the first counts no more', async () => {
  const { MicrocredPanel } = widget();
  const drawn = render(<MicrocredPanel />);
  drawn.unmount();
  locale = 'th';
  render(<MicrocredPanel />);
  assert.deepEqual(asked.map((one) => one[1]), ['en', 'th']);
  await answer({ ...FULL, badges: [{ ...BADGE, name: { th: 'เก่า', en: 'old' } }] });
  assert.doesNotMatch(text(), /เก่า/);
  await answer(FULL);
  assert.match(text(), /พื้นฐานไพทอน/);
});
