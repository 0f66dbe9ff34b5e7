import React, { useId } from './react';
import { linkTo } from './links';
import { Worth } from './Worth';

const NAMES = {
  level1: 'stageLevel1', exam: 'stageExam', level2: 'stageLevel2', programme: 'stageProgramme', credit: 'stageCredit',
};

// In words. Of several courses some may be done while the learner stands elsewhere.
function standing(stage, { say }) {
  if (stage.state === 'open') {
    return say(Number(stage.have) > 0 ? 'stagePartly' : 'stageOpen');
  }
  return say(stage.state === 'done' ? 'stageDone' : 'stageNow');
}

// How far a stage is; nothing where the text of its state says it all.
function figures(stage, unit, { say, number }) {
  const values = { have: stage.have, need: stage.need };
  if (stage.kind === 'credit' && stage.need === null) {
    return Number(stage.have) > 0 ? say('credits', { count: stage.have }) : '';
  }
  if (stage.kind === 'credit' || (stage.kind === 'programme' && unit === 'credits')) {
    return say('stageCredits', values);
  }
  if (stage.need === null) {
    return Number(stage.have) > 0 ? say('stageSome', { have: number(stage.have) }) : '';
  }
  return Number(stage.need) > 1 ? say('stageCount', { have: number(stage.have), need: number(stage.need) }) : '';
}

/** A programme as a ladder: what is done, where the learner stands, what comes, and what it is worth. */
export function Ladder({
  ladder, more, base, words,
}) {
  const { say, text } = words;
  const id = useId();
  const done = say(ladder.unit === 'credits' ? 'creditsDone' : 'partsDone', { have: ladder.have, need: ladder.need });
  const url = linkTo(`/microcred/programmes/${ladder.code}/`, base);
  return (
    <div className="mcw__part">
      <h3 className="mcw__heading">
        <span className="mcw__label">{say(ladder.earned ? 'completed' : 'inProgress')}</span>
        <a className="mcw__link" href={url}>{text(ladder.name)}</a>
      </h3>
      <p className="mcw__small" id={id}>{done}</p>
      <progress className="mcw__bar" max="100" value={ladder.percent} aria-labelledby={id}>{done}</progress>
      <ol className="mcw__ladder">
        {(ladder.stages || []).map((stage, place) => {
          const detail = figures(stage, ladder.unit, words);
          return (
            <li
              key={stage.kind}
              className={`mcw__rung mcw__rung--${stage.state}`}
              aria-current={stage.state === 'now' ? 'step' : undefined}
            >
              <span className="mcw__mark" aria-hidden="true">{stage.state === 'done' ? '✓' : place + 1}</span>
              <span className="mcw__about">
                <span className="mcw__name">{say(NAMES[stage.kind])}</span>
                <span className="mcw__small">
                  {standing(stage, words)}
                  {detail && ` · ${detail}`}
                </span>
              </span>
            </li>
          );
        })}
      </ol>
      <h4 className="mcw__label">{say('worth')}</h4>
      <Worth worth={ladder.worth} words={words} />
      {more > 0 && (
        <p className="mcw__small">
          <a className="mcw__link" href={linkTo('/microcred/programmes/', base)}>{say('moreProgrammes', { count: more })}</a>
        </p>
      )}
    </div>
  );
}
