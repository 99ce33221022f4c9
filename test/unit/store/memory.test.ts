import { MemoryStore } from '../../../src/store/memory.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { describeObjectStore } from '../../conformance/object-store.ts'

const close = async (): Promise<void> => {}

describeObjectStore('a store in memory', async () => ({ store: new MemoryStore(), close }))
describeObjectStore('a store below a prefix', async () => ({ store: withPrefix(new MemoryStore(), '/some/place/'), close }))
