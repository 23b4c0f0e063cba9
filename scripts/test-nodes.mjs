// npm run test:nodes [PATTERN]: the uvu suite on every other Node release that is supported, from npm.
import { join } from 'node:path'
import { nodeRelease, OTHER_NODES } from './tools/nodes.mjs'
import { root } from './tools/paths.mjs'
import { main, run } from './tools/run.mjs'
import { Tally } from './tools/tally.mjs'

await main(async () => {
  const tally = new Tally()
  for (const version of OTHER_NODES) {
    console.log(`# Node ${version}`)
    const node = join(await nodeRelease(version), 'bin', 'node')
    tally.ended(await run(node, ['scripts/test-js.mjs', ...process.argv.slice(2)], { cwd: root, capture: true }))
  }
  tally.finish()
})
