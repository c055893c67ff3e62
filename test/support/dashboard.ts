/** Starts a dashboard for a test: a real process of the built package. */
import type { Setup, View } from '../../src/dashboard/view.js';
import { type CliProcess, startServing } from './process.js';

export const OWN = { 'x-association-queue': '1', 'sec-fetch-site': 'same-origin' };

export type State = Omit<View, 'trouble'> & { setup: Setup };
export type DashboardProcess = CliProcess & {
  readonly url: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** as the page does it */
  post(path: string, headers?: Record<string, string>, body?: object): Promise<Response>;
  state(): Promise<State>;
};

export async function startDashboard(env: Readonly<Record<string, string>>): Promise<DashboardProcess> {
  const dashboard = await startServing('dashboard', { DASHBOARD_PORT: '0', ...env });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(dashboard.url + path, { headers });
  return {
    ...dashboard,
    get,
    post: (path, headers = OWN, body) =>
      fetch(dashboard.url + path, {
        method: 'POST',
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      }),
    state: async () => (await (await get('/api/state')).json()) as State,
  };
}
