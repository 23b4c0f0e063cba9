// npm run test:native, test:asan, test:ubsan, test:tsan, test:crash, test:schedule: builds the programs of
// native/test/SUITE with CMake and runs them. test-native.mjs SUITE [--sanitize NAME] [PATTERN ...]
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { buildPrograms } from './tools/cmake.mjs'
import { matches } from './tools/files.mjs'
import { main, run } from './tools/run.mjs'
import { Counts, Tally } from './tools/tally.mjs'

const { values, positionals } = parseArgs({ options: { sanitize: { type: 'string', default: '' } }, allowPositionals: true })
const [suite, ...patterns] = positionals

const env = { ...process.env, UBSAN_OPTIONS: 'print_stacktrace=1', TSAN_OPTIONS: 'second_deadlock_stack=1' }

await main(async () => {
  const tally = new Tally()
  const counts = new Counts()
  const programs = await buildPrograms(suite, { sanitize: values.sanitize })
  for (const program of programs.filter(path => matches(basename(path), patterns))) {
    console.log(`# ${basename(program)}`)
    const result = await run(program, [], { env, capture: true })
    if (result.signal) console.log(`ended by ${result.signal}`)
    tally.ended(result)
    counts.add(result.output)
  }
  counts.finish()
  tally.finish()
})
