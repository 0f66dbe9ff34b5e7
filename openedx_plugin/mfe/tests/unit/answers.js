// Answers of the API, as mooc_microcred.dashboard.rest_api describes them.

export const RUN = 'course-v1:KMUTT+PY101+2026';
const worth = {
  hours: '45', credits: '3', nqf_level: 6, accepted_by: [{ th: 'มจธ.', en: 'KMUTT' }], further_information: '',
};

export const STEP = {
  action: 'study',
  text: 'Continue the course: 3 of 10 units are done.',
  url: 'https://apps.example.org/learning/course/x/home',
  achievement: 'py102-l1',
  name: { th: 'พื้นฐาน 2', en: 'Basics 2' },
  kind: 'level1',
  worth,
  course_key: RUN,
  course_title: 'Python 2',
  exam: '',
  admission: '',
  details: {},
};

export const BADGE = {
  award: '0b6dc3d6-52c9-4f0c-8d9b-6c9b1f1c0001',
  achievement: 'py101-l1',
  kind: 'level1',
  state: 'active',
  name: { th: 'พื้นฐานไพทอน', en: 'Python basics' },
  issuer: { th: 'มจธ.', en: 'KMUTT' },
  issued_at: '2026-11-21T04:00:00Z',
  expires_at: null,
  course_key: RUN,
  worth,
  url: 'https://lms.example.org/microcred/credentials/1',
  picture: '/microcred/badges/1.svg',
};

export const LADDER = {
  code: 'py-series',
  name: { th: 'ชุดวิชาไพทอน', en: 'Python series' },
  worth: { ...worth, hours: '135', credits: '9' },
  have: '1',
  need: '3',
  unit: 'components',
  percent: 33,
  earned: false,
  rungs: [],
  stages: [
    { kind: 'level1', state: 'now', have: '1', need: '3' },
    { kind: 'exam', state: 'open', have: '1', need: '3' },
    { kind: 'level2', state: 'open', have: '1', need: '3' },
    { kind: 'programme', state: 'open', have: '1', need: '3' },
    { kind: 'credit', state: 'open', have: '0', need: '9' },
  ],
  step: STEP,
};

export const CARD = [
  {
    code: 'py101-l1', kind: 'level1', name: BADGE.name, state: 'earned', worth, award: BADGE.award, url: BADGE.url,
  },
  {
    code: 'py101-l2', kind: 'level2', name: { th: '', en: 'Python exam' }, state: 'open', worth: { ...worth, credits: '0' }, award: '', url: '',
  },
];

export const FULL = {
  complete: true, badges: [BADGE], badge_count: 1, ladders: [LADDER], steps: [], courses: { [RUN]: CARD },
};
export const EMPTY = {
  complete: true, badges: [], badge_count: 0, ladders: [], steps: [], courses: {},
};
