// A process of a cluster does not inherit the TypeScript loader of its parent on every Node.
import { register } from 'tsx/esm/api'

register()
await import('./server.ts')
