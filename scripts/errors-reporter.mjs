// @ts-check
/** Writes down the errors of a run that belong to no test, which vitest's report in JSON leaves out: `ci.mjs` names them. */
import { writeFileSync } from 'node:fs';

/** @typedef {import('vitest/reporters').Reporter} Reporter */
/** @implements {Reporter} */
export default class ErrorsReporter {
  /** @param {unknown} _modules @param {readonly import('vitest').SerializedError[]} errors */
  onTestRunEnd(_modules, errors) {
    const { CI_ERRORS_FILE: file } = process.env;
    if (file !== undefined) writeFileSync(file, JSON.stringify(errors.map(plain)));
  }
}

/** @param {import('vitest').SerializedError} error */
function plain(error) {
  return { file: error.VITEST_TEST_PATH, text: [error.message, error.cause?.message].filter(Boolean).join(': ') };
}
