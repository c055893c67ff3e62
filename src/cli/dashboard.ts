/** `association-queue dashboard`: the web page, until SIGTERM. */
import { type CommandSpec, PROGRAM } from './command.js';

export const DASHBOARD: CommandSpec = {
  usage: 'dashboard',
  summary:
    'Shows and steers the queue in a browser: state, throughput, rejections, workers, search; Bull Board under /queues. On 127.0.0.1:3001; elsewhere it needs DASHBOARD_USER and DASHBOARD_PASSWORD.',
  flags: [],
  example: `${PROGRAM} dashboard\nDASHBOARD_HOST=0.0.0.0 DASHBOARD_USER=oncall DASHBOARD_PASSWORD=… DASHBOARD_READ_ONLY=true ${PROGRAM} dashboard`,
  run: async given => {
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env, { dashboard: true }));
    const { runDashboard } = await import('../dashboard/web/main.js');
    await runDashboard(config);
    process.exit(0);
  },
};
