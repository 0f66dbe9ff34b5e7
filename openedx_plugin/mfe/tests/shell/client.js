// What both stand-ins have of a real shell: axios with the session's cookie, events, and the reader's language.
import axios from 'axios';

const listeners = {};
let client;
let userData;

export const subscribe = (topic, listener) => { (listeners[topic] = listeners[topic] || []).push(listener); };
export const publish = (topic) => (listeners[topic] || []).forEach((listener) => listener(topic));

export function getAuthService() {
  if (!client) {
    throw Error('You must first configure the auth service.');
  }
  return {};
}
export const getAuthenticatedHttpClient = () => client;
export const getAuthenticatedUser = () => userData;
export function signIn(user) {
  client = axios.create({ withCredentials: true });
  userData = user;
}
export const getLocale = () => document.documentElement.lang;
