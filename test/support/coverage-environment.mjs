// Where the processes that a test starts write what they executed; jest's own processes would write theirs there, too, if
// they were started with this variable.
import path from 'node:path';
import { TestEnvironment } from 'jest-environment-node';

export default class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    // absolute, because a test may start a process in another folder
    process.env.NODE_V8_COVERAGE = path.resolve('coverage/children');
  }
}
