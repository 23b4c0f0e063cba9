// The addon as it ships: prebuilds/<platform>-<arch>/, through node-gyp and binding.gyp.
import { rmSync } from 'node:fs'
import { filesUnder } from './tools/files.mjs'
import { withHeaders } from './tools/headers.mjs'
import { inRoot, installed, root } from './tools/paths.mjs'
import { must } from './tools/run.mjs'
import { isStale } from './tools/stale.mjs'

const prebuilds = () => filesUnder(inRoot('prebuilds', `${process.platform}-${process.arch}`))
const INPUTS = [inRoot('native'), inRoot('binding.gyp')]

export async function buildNative() {
  const built = prebuilds()
  if (built.length > 0 && !isStale(built, INPUTS, [inRoot('native', 'test')])) return
  console.error('building the addon')
  await must(installed('prebuildify'), ['--napi', '--strip', '--tag-libc'], {
    env: await withHeaders(),
    cwd: root,
    capture: true,
    quiet: true
  })
  // node-gyp-build prefers build/ to prebuilds/, and what is tested should be what ships.
  rmSync(inRoot('build'), { recursive: true, force: true })
}
