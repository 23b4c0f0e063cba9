import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot } from './paths.mjs'
import { must } from './run.mjs'

/** Node releases the suite also runs on; npm has their binaries. */
export const OTHER_NODES = ['22.23.3', '24.21.0', '26.10.0']

/** Installs a Node release into .cache and returns its folder, which holds bin/node and the headers. */
export async function nodeRelease(version) {
  const folder = inRoot('.cache', 'nodes', version)
  const name = `node-${process.platform}-${process.arch}`
  const release = join(folder, 'node_modules', name)
  if (!existsSync(join(release, 'bin', 'node'))) {
    mkdirSync(folder, { recursive: true })
    await must('npm', ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`], {
      capture: true,
      quiet: true
    })
  }
  return release
}
