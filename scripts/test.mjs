// npm test: everything a change must pass, and one line that sums it.
import { installed, root } from './tools/paths.mjs'
import { main, run } from './tools/run.mjs'
import { Tally } from './tools/tally.mjs'

const script = (name, ...args) => [process.execPath, [`scripts/${name}.mjs`, ...args]]

const PARTS = {
  'format and lint': script('lint'),
  types: [installed('tsc'), ['-p', 'tsconfig.json']],
  'native units': script('test-native', 'unit'),
  interleavings: script('test-native', 'interleave'),
  'death at every instruction': script('test-native', 'crash', 'step'),
  'test files': script('test-js'),
  package: script('test-js', '--under', 'test/package')
}

await main(async () => {
  const tally = new Tally()
  const setup = await run(process.execPath, ['scripts/setup.mjs'], { cwd: root })
  if (setup.code !== 0) {
    tally.check(false)
    return tally.finish()
  }
  for (const [name, [command, args]] of Object.entries(PARTS)) {
    console.log(`\n## ${name}`)
    tally.ended(await run(command, args, { cwd: root, capture: true }))
  }
  console.log()
  tally.finish()
})
