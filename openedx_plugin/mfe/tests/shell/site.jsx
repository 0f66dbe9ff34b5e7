import { slotOf } from './frontend-base';
import { start } from './dashboard';

// As in site.config.build.tsx.
async function configure(plain) {
  if (plain) {
    return [];
  }
  const { microcredApp } = await import('@mooc-microcred/learner-dashboard-widget/frontend-base');
  return [microcredApp];
}

start({
  configure,
  slotOf,
  slots: {
    sidebar: 'org.openedx.frontend.slot.learnerDashboard.widgetSidebar.v1',
    card: 'org.openedx.frontend.slot.learnerDashboard.courseCardBanner.v1',
  },
});
