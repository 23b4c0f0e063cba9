// ESM and CommonJS from the same TypeScript.
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { filesUnder } from './tools/files.mjs'
import { inRoot, installed, root } from './tools/paths.mjs'
import { must } from './tools/run.mjs'
import { isStale } from './tools/stale.mjs'

const DIST = inRoot('dist')
const DONE = inRoot('dist', 'cjs', 'package.json')
const INPUTS = ['lib', 'package.json', 'tsconfig.json', 'tsconfig.esm.json', 'tsconfig.cjs.json'].map(name => inRoot(name))

/** x.commonjs.ts was compiled in place of x.ts, but its importers say './x.js'. */
function dropCommonjsSuffix() {
  for (const file of filesUnder(inRoot('dist', 'cjs'))) {
    if (/\.commonjs\.(js|d\.ts)$/.test(file)) renameSync(file, file.replace('.commonjs.', '.'))
  }
}

export async function buildDist() {
  if (existsSync(DONE) && !isStale([DONE], INPUTS)) return
  console.error('compiling lib')
  rmSync(DIST, { recursive: true, force: true })
  await must(installed('tsc'), ['-p', 'tsconfig.esm.json'], { cwd: root, capture: true, quiet: true })
  await must(installed('tsc'), ['-p', 'tsconfig.cjs.json'], { cwd: root, capture: true, quiet: true })
  dropCommonjsSuffix()
  // Written last: its presence says that both passes succeeded.
  writeFileSync(DONE, `${JSON.stringify({ type: 'commonjs', sideEffects: false })}\n`)
}
