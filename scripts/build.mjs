// npm run build: the addon and lib, each only when missing or older than its sources.
import { buildDist } from './build-dist.mjs'
import { buildNative } from './build-native.mjs'
import { main } from './tools/run.mjs'

await main(async () => {
  await buildNative()
  await buildDist()
})
