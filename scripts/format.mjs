// npm run format: what npm run lint asks for, as far as it can be done by machine.

import { nativeFiles } from './tools/files.mjs'
import { installed, root } from './tools/paths.mjs'
import { main, must } from './tools/run.mjs'

await main(async () => {
  await must(installed('clang-format'), ['-i', ...nativeFiles()], { cwd: root })
  await must(installed('biome'), ['check', '--write', '.'], { cwd: root })
})
