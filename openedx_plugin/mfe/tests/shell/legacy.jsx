import * as framework from './plugin-framework';
import { start } from './dashboard';

// As in env.config.jsx.
async function configure(plain) {
  const config = { pluginSlots: {} };
  if (!plain) {
    const widget = await import('@mooc-microcred/learner-dashboard-widget/legacy');
    Object.assign(config.pluginSlots, widget.pluginSlots(framework));
  }
  return config;
}

start({
  configure,
  slotOf: framework.slotOf,
  slots: {
    sidebar: 'org.openedx.frontend.learner_dashboard.widget_sidebar.v1',
    card: 'org.openedx.frontend.learner_dashboard.course_card_banner.v1',
  },
});
