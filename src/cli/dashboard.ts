/** `association-queue dashboard`: the web page, until SIGTERM. */
import { PROGRAM } from './command.js';
import { serviceCommand } from './service.js';

export const DASHBOARD = serviceCommand({
  usage: 'dashboard',
  summary:
    'Shows and steers the queue in a browser: state, throughput, rejections, workers, search; Bull Board under /queues. On 127.0.0.1:3001; elsewhere it needs DASHBOARD_USER and DASHBOARD_PASSWORD.',
  example: `${PROGRAM} dashboard\nDASHBOARD_HOST=0.0.0.0 DASHBOARD_USER=oncall DASHBOARD_PASSWORD=… DASHBOARD_READ_ONLY=true ${PROGRAM} dashboard`,
  needs: { dashboard: true },
  start: async config => (await import('../dashboard/web/main.js')).runDashboard(config),
});
