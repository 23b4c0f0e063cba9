// npm run lint: format and lint of both languages, changing nothing.

import { nativeFiles } from './tools/files.mjs'
import { installed, root } from './tools/paths.mjs'
import { main, run } from './tools/run.mjs'
import { Tally } from './tools/tally.mjs'

await main(async () => {
  const tally = new Tally()
  tally.ended(await run(installed('biome'), ['check', '--error-on-warnings', '.'], { cwd: root, capture: true }))
  tally.ended(await run(installed('clang-format'), ['--dry-run', '--Werror', ...nativeFiles()], { cwd: root, capture: true }))
  tally.finish()
})
