const figure = (output, label) => {
  const found = [...output.matchAll(new RegExp(`^  ${label}:\\s+(\\d+)`, 'gm'))].at(-1)
  return found && Number(found[1])
}

/**
 * Reads uvu's summary. A file that ended without one, or badly although all it counted passed, or with no test in it,
 * counts as one failure more.
 * @param {{ code: number | null, output: string }} result
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function uvuTally({ code, output }) {
  const total = figure(output, 'Total')
  if (total === undefined) return { passed: 0, failed: 1, skipped: 0 }
  const passed = figure(output, 'Passed')
  const skipped = figure(output, 'Skipped')
  const failed = total - passed
  const silent = failed === 0 && (code !== 0 || total + skipped === 0)
  return { passed, failed: silent ? 1 : failed, skipped }
}
