// A learner dashboard as far as a widget sees it: it reads its list of courses, draws a card for each, and a sidebar.
import React, { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { getAuthenticatedHttpClient, publish, signIn } from './client';
import './host.css';

function Card({ cardId, course, slots, Slot }) {
  return (
    <div className="course-card" id={cardId} data-host>
      <h3 data-host><a data-host href={course.courseRun.homeUrl}>{course.course.courseName}</a></h3>
      <p data-host>{course.courseRun.courseId}</p>
      <div className="course-card-banners"><Slot id={slots.card} cardId={cardId} pluginProps={{ cardId }} /></div>
    </div>
  );
}

function Dashboard({ slots, Slot }) {
  const [list, setList] = useState(null);
  const [user, setUser] = useState('');
  const [shown, setShown] = useState(true);
  useEffect(() => {
    const address = `${window.location.origin}/api/learner_home/init/${user && `?user=${user}`}`;
    getAuthenticatedHttpClient().get(address).then(({ data }) => setList(data.courses));
  }, [user]);
  if (!list) {
    return <p data-host>Loading courses</p>;
  }
  return (
    <>
      <header data-host>
        <span data-host>Learning platform</span>
        <button type="button" data-host id="masquerade" onClick={() => setUser(user ? '' : 'somebody')}>View as</button>
        <button type="button" data-host id="leave" onClick={() => setShown(!shown)}>Leave and come back</button>
      </header>
      {shown && (
        <main data-host>
          <h1 data-host>My courses</h1>
          <div className="columns">
            <div>
              {list.map((course, place) => (
                <Card key={course.courseRun.courseId} cardId={`card-${place}`} course={course} slots={slots} Slot={Slot} />
              ))}
              <form data-host>
                <label data-host htmlFor="goal">Goal</label>
                <input data-host id="goal" />
                <progress data-host max="3" value="1" aria-label="Days" />
              </form>
            </div>
            <aside aria-label="Beside the courses">
              <Slot id={slots.sidebar}>
                <div className="card" data-host>
                  <h4 data-host>Looking for a new challenge?</h4>
                  <ul data-host>
                    <li data-host><a data-host href="/courses/">Find a course</a></li>
                  </ul>
                </div>
              </Slot>
            </aside>
          </div>
        </main>
      )}
    </>
  );
}

/** Do as a shell does: read the configuration, sign in, say so, and draw. */
export async function start({ configure, slots, slotOf }) {
  // Without the widget, to see what it changes in the page around it.
  const plain = new URLSearchParams(window.location.search).has('plain');
  const Slot = slotOf(await configure(plain));
  signIn({ userId: 1, username: 'learner' });
  publish('APP.AUTH_INITIALIZED');
  createRoot(document.getElementById('root')).render(<Dashboard slots={slots} Slot={Slot} />);
}
