// npm run test:package: npm pack on a fresh copy of the project, then the tarball used as its users will (test/package).
import { withHeaders } from './tools/headers.mjs'
import { root } from './tools/paths.mjs'
import { main, must } from './tools/run.mjs'

await main(async () => {
  const { npm_config_nodedir } = await withHeaders()
  const env = { ...process.env, FORELOCK_PACK_FRESH: '1', FORELOCK_NODEDIR: npm_config_nodedir }
  await must(process.execPath, ['scripts/test-js.mjs', '--under', 'test/package', '--minutes', '15'], { cwd: root, env })
})
