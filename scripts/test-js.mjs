// npm run test:js [-- --under FOLDER] [--minutes N] [PATTERN ...]: the uvu test files whose path contains one of the
// patterns, each in a process of its own, so that one that crashes or leaves a process-wide arena behind takes no other
// with it. One that is still running after N minutes (default 5: some take a minute, and machines
// are slow at times) has failed.
import { availableParallelism } from 'node:os'
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { filesUnder, matches } from './tools/files.mjs'
import { inRoot, root } from './tools/paths.mjs'
import { main, run } from './tools/run.mjs'
import { Tally } from './tools/tally.mjs'
import { uvuTally } from './tools/uvu.mjs'

const { values, positionals } = parseArgs({
  options: { under: { type: 'string' }, minutes: { type: 'string', default: '5' } },
  allowPositionals: true
})

// A test that hangs should fail with its name, not hold up the rest.
const timeoutMs = Number(values.minutes) * 60_000

function testFiles() {
  const under = inRoot(values.under ?? 'test')
  // The package test needs a built tarball: npm run test:package.
  const skip = values.under ? [] : [inRoot('test', 'package')]
  const files = filesUnder(under, skip).filter(file => file.endsWith('.test.ts'))
  return files.filter(file => matches(relative(root, file), positionals))
}

async function runFile(file, tally) {
  const begun = performance.now()
  const result = await run(process.execPath, ['--import', 'tsx', file], {
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    cwd: root,
    capture: true,
    quiet: true,
    timeoutMs
  })
  const counted = uvuTally(result)
  tally.add(counted)
  console.log(
    `${relative(root, file)}: ${counted.passed} passed, ${counted.failed} failed${counted.skipped ? `, ${counted.skipped} skipped` : ''}, ${((performance.now() - begun) / 1000).toFixed(1)} s`
  )
  if (counted.failed === 0) return
  console.log(result.output.trimEnd())
  if (result.timedOut) console.log(`ended after ${values.minutes} minutes: it, or something it started, was still running`)
  else if (result.signal) console.log(`ended by ${result.signal}`)
}

await main(async () => {
  const tally = new Tally()
  const files = testFiles()
  const worker = async () => {
    for (let file = files.shift(); file; file = files.shift()) await runFile(file, tally)
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, worker))
  tally.finish()
})
