// For a site of @openedx/frontend-base: an app that puts the widget into the slots of the learner dashboard.
import React from 'react';
import {
  SITE_AUTH_INITIALIZED, WidgetOperationTypes, getAuthService, getAuthenticatedHttpClient, getAuthenticatedUser,
  getLocale, getSiteConfig, subscribe, useSlotContext,
} from '@openedx/frontend-base';
import { createWidget } from './core';
import { watchShell } from './core/courses';
import { fetchWith } from './core/http';
import { readersLocale } from './core/locale';
import './widget.css';

export const SIDEBAR_SLOT = 'org.openedx.frontend.slot.learnerDashboard.widgetSidebar.v1';
export const COURSE_CARD_SLOT = 'org.openedx.frontend.slot.learnerDashboard.courseCardBanner.v1';

const widget = createWidget({
  fetchJson: (address, options) => fetchWith(getAuthenticatedHttpClient(), address, options),
  locale: () => readersLocale(getSiteConfig().languagePreferenceCookieName, getLocale),
  lmsBaseUrl: () => getSiteConfig().lmsBaseUrl,
  signedIn: () => Boolean(getAuthenticatedUser()),
  watchCourses: (listener) => watchShell(
    { getAuthService, getAuthenticatedHttpClient, subscribe }, SITE_AUTH_INITIALIZED, listener,
  ),
});

export const { MicrocredPanel } = widget;

/** What the slot was given stands in its context; not every version of the shell gives it to widgets as props. */
export function MicrocredCourseCard(props) {
  const { cardId, courseId } = { ...useSlotContext(), ...props };
  return React.createElement(widget.MicrocredCourseCard, { cardId, courseId });
}

export const slots = [
  {
    slotId: SIDEBAR_SLOT,
    id: 'org.mooc-microcred.widget.learnerDashboard.panel',
    op: WidgetOperationTypes.PREPEND,
    component: MicrocredPanel,
  },
  {
    slotId: COURSE_CARD_SLOT,
    id: 'org.mooc-microcred.widget.learnerDashboard.courseCard',
    op: WidgetOperationTypes.APPEND,
    component: MicrocredCourseCard,
  },
];

/** The app, for `apps` of site.config. */
export const microcredApp = { appId: 'org.mooc-microcred.app.learnerDashboardWidget', slots };

export default microcredApp;
