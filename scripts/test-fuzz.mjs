// npm run test:fuzz [-- --seconds N] [PATTERN ...]: each fuzzer of native/test/fuzz under AddressSanitizer for N seconds
// (default 20), then the test files that fuzz what JavaScript passes in. What libFuzzer learns is kept in .cache/fuzz.
import { mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { buildPrograms, clang } from './tools/cmake.mjs'
import { matches } from './tools/files.mjs'
import { inRoot, root } from './tools/paths.mjs'
import { main, run } from './tools/run.mjs'
import { Tally } from './tools/tally.mjs'

const { values, positionals } = parseArgs({ options: { seconds: { type: 'string', default: '20' } }, allowPositionals: true })

async function fuzz(program) {
  const corpus = inRoot('.cache', 'fuzz', basename(program))
  mkdirSync(corpus, { recursive: true })
  console.log(`# ${basename(program)}: ${values.seconds} s`)
  // A hang is a finding: no input of these sizes takes a second.
  const limits = [`-max_total_time=${values.seconds}`, '-timeout=10', '-print_final_stats=1', `-artifact_prefix=${corpus}-`]
  return await run(program, [...limits, corpus], { capture: true })
}

await main(async () => {
  const tally = new Tally()
  const programs = await buildPrograms('fuzz', { sanitize: 'address', compiler: clang(), options: ['-DFORELOCK_FUZZ=ON'] })
  for (const program of programs.filter(path => matches(basename(path), positionals))) {
    tally.check((await fuzz(program)).code === 0)
  }
  tally.ended(await run(process.execPath, ['scripts/test-js.mjs', 'fuzz'], { cwd: root, capture: true }))
  tally.finish()
})
