import React, { useId } from './react';
import { Ladder } from './Ladder';
import { linkTo } from './links';

const GO = {
  study: 'goStudy', raise_grade: 'goCourse', pass_subsection: 'goCourse', take_exam: 'goExam', resit_exam: 'goExam', enrol: 'goEnrol',
};

/** The one sentence that tells how things stand; assistive technology hears of each change. */
function Status({ state, words }) {
  const { say, time } = words;
  const { status, data, at, online } = state;
  let told = '';
  if (status === 'loading' || status === 'idle') {
    told = data ? '' : say('loading');
  } else if (status === 'failed' || !online) {
    if (data) {
      told = say(online ? 'stale' : 'staleOffline', { time: time(at) });
    } else {
      told = say(online ? 'failed' : 'offline');
    }
  } else if (data && !data.complete) {
    told = say('incomplete');
  }
  return <div role="status" className="mcw__status">{told && <p className="mcw__told">{told}</p>}</div>;
}

function NextStep({ step, base, words }) {
  const { say, text } = words;
  const page = linkTo('/microcred/programmes/', base);
  const url = linkTo(step.url, base);
  return (
    <div className="mcw__step">
      <h3 className="mcw__label">
        {say('nextStep')}
        {step.course_title && ` · ${step.course_title}`}
      </h3>
      <p className="mcw__text">{step.text}</p>
      <p className="mcw__small">{say('leadsTo', { name: text(step.name) })}</p>
      <a className="mcw__button" href={url || page}>{url ? say(GO[step.action] || 'goCourse') : say('goPage')}</a>
    </div>
  );
}

function Badges({ data, base, words }) {
  const { say, text, day } = words;
  const number = data.badge_count ?? data.badges.length;
  return (
    <div className="mcw__part">
      <h3 className="mcw__heading">{say('earned')}</h3>
      <p className="mcw__small">
        {say('earnedNumber', { count: number })}
        {number > data.badges.length && ` · ${say('newest', { count: data.badges.length })}`}
      </p>
      <ul className="mcw__badges">
        {data.badges.map((badge) => {
          const url = linkTo(badge.url, base);
          const picture = linkTo(badge.picture, base);
          return (
            <li key={badge.award} className="mcw__badge">
              {picture && <img className="mcw__picture" src={picture} alt="" width="48" height="48" loading="lazy" />}
              <div className="mcw__about">
                <p className="mcw__name">{url ? <a className="mcw__link" href={url}>{text(badge.name)}</a> : text(badge.name)}</p>
                <p className="mcw__small">
                  {say(badge.kind)}
                  {' · '}
                  {say('earnedOn', { day: day(badge.issued_at) })}
                  {badge.state !== 'active' && (
                    <>
                      {' · '}
                      <strong>{say(badge.state)}</strong>
                    </>
                  )}
                </p>
              </div>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** The panel of the learner dashboard. */
export function Panel({
  state, words, base, onAgain,
}) {
  const { say } = words;
  const id = useId();
  const { data, status, online } = state;
  const ladders = data ? data.ladders : [];
  const ahead = ladders.filter((one) => !one.earned);
  const ladder = ahead[0] || ladders[0];
  const step = data && ((ladder && ladder.step) || data.steps[0]);
  const empty = data && !data.badges.length && !ladder && !step;
  return (
    <section className="mcw mcw--panel" lang={words.language} aria-labelledby={id}>
      <h2 className="mcw__title" id={id}>{say('title')}</h2>
      <Status state={state} words={words} />
      {status === 'failed' && online && (
        <button type="button" className="mcw__button mcw__button--quiet" onClick={onAgain}>{say('tryAgain')}</button>
      )}
      {empty && data.complete && <p className="mcw__text">{say('empty')}</p>}
      {step && <NextStep step={step} base={base} words={words} />}
      {ladder && <Ladder ladder={ladder} more={ahead.length - 1} base={base} words={words} />}
      {data && data.badges.length > 0 && <Badges data={data} base={base} words={words} />}
      {data && <p className="mcw__all"><a className="mcw__link" href={linkTo('/microcred/', base)}>{say('allOfIt')}</a></p>}
    </section>
  );
}
