// Makes a fresh clone ready: installs what package-lock.json says when that was not done yet, then builds what is stale.
// Plain Node and its own modules only, because nothing is installed when it starts.
import { existsSync, readFileSync } from 'node:fs'
import { inRoot, root } from './tools/paths.mjs'
import { main, must } from './tools/run.mjs'

const packagesIn = file => JSON.parse(readFileSync(file, 'utf8')).packages

/** True when each package of the lock file is there in its version; optional ones are those of other platforms. */
function isInstalled() {
  // npm writes this file at the end of an install.
  const record = inRoot('node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const there = packagesIn(record)
  const wanted = Object.entries(packagesIn(inRoot('package-lock.json'))).filter(([path, { optional }]) => path !== '' && !optional)
  return wanted.every(([path, { version }]) => there[path]?.version === version)
}

await main(async () => {
  if (!isInstalled()) {
    console.error('installing dependencies')
    await must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, capture: true, quiet: true })
  }
  await must(process.execPath, [inRoot('scripts', 'build.mjs')], { cwd: root })
})
