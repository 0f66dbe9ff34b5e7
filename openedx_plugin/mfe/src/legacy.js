// For the learner dashboard MFE of @edx/frontend-platform: what its env.config.jsx puts into slots.
import { APP_AUTH_INITIALIZED, getConfig, subscribe } from '@edx/frontend-platform';
import { getAuthenticatedHttpClient, getAuthenticatedUser, getAuthService } from '@edx/frontend-platform/auth';
import { getLocale } from '@edx/frontend-platform/i18n';
import { createWidget } from './core';
import { watchShell } from './core/courses';
import { fetchWith } from './core/http';
import { readersLocale } from './core/locale';
import './widget.css';

export const SIDEBAR_SLOT = 'org.openedx.frontend.learner_dashboard.widget_sidebar.v1';
export const COURSE_CARD_SLOT = 'org.openedx.frontend.learner_dashboard.course_card_banner.v1';

export const { MicrocredPanel, MicrocredCourseCard } = createWidget({
  fetchJson: (address, options) => fetchWith(getAuthenticatedHttpClient(), address, options),
  locale: () => readersLocale(getConfig().LANGUAGE_PREFERENCE_COOKIE_NAME, getLocale),
  lmsBaseUrl: () => getConfig().LMS_BASE_URL,
  signedIn: () => Boolean(getAuthenticatedUser()),
  watchCourses: (listener) => watchShell(
    { getAuthService, getAuthenticatedHttpClient, subscribe }, APP_AUTH_INITIALIZED, listener,
  ),
});

/**
 * Return the slots as env.config.jsx wants them, for `config.pluginSlots`.
 * @param {object} framework what `@openedx/frontend-plugin-framework` exports.
 */
export function pluginSlots({ DIRECT_PLUGIN, PLUGIN_OPERATIONS }) {
  const slot = (id, RenderWidget, priority) => ({
    keepDefault: true,
    plugins: [{
      op: PLUGIN_OPERATIONS.Insert,
      widget: {
        id, type: DIRECT_PLUGIN, priority, RenderWidget,
      },
    }],
  });
  return {
    [SIDEBAR_SLOT]: slot('microcred_panel', MicrocredPanel, 10),
    [COURSE_CARD_SLOT]: slot('microcred_course_card', MicrocredCourseCard, 60),
  };
}
