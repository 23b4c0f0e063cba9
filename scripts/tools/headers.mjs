import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { nodeRelease } from './nodes.mjs'

const hasHeaders = folder =>
  existsSync(join(folder, 'include', 'node', 'node_api.h')) && existsSync(join(folder, 'include', 'node', 'common.gypi'))

/**
 * The environment in which node-gyp finds Node's headers without asking the network: those beside the running node,
 * else those of the same release from npm.
 */
export async function withHeaders(env = process.env) {
  if (env.npm_config_nodedir && hasHeaders(env.npm_config_nodedir)) return env
  const beside = resolve(process.execPath, '..', '..')
  return { ...env, npm_config_nodedir: hasHeaders(beside) ? beside : await nodeRelease(process.versions.node) }
}
