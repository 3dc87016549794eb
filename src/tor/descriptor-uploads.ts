import { controlArguments } from './control-reply.ts';

interface Uploads {
  asked: number;
  stored: number;
  refused: number;
}

/** Follows HS_DESC events to tell when clients can find an onion service (control-spec 4.1.25). */
export class DescriptorUploads {
  readonly #onions = new Map<string, Uploads>();

  /** Takes an event's text; ignores events of other kinds. */
  note(event: string): void {
    const [name, action, id = ''] = event.split(' ');
    if (name !== 'HS_DESC') return;
    const onion = `${id}.onion`;
    const uploads = this.#onions.get(onion) ?? { asked: 0, stored: 0, refused: 0 };
    if (action === 'UPLOAD') uploads.asked++;
    if (action === 'UPLOADED') uploads.stored++;
    if (action === 'FAILED' && controlArguments(event).get('REASON') === 'UPLOAD_REJECTED') {
      uploads.refused++;
    }
    if (uploads.asked > 0) this.#onions.set(onion, uploads);
  }

  /** What was heard since this began to listen. A later upload of the same onion changes nothing. */
  stateOf(onion: string): 'unheard' | 'under-way' | 'stored' {
    const uploads = this.#onions.get(onion);
    if (uploads === undefined) return 'unheard';
    return uploads.stored > 0 ? 'stored' : 'under-way';
  }

  /** Whether every directory that was sent the onion's descriptor has answered, and one kept it. */
  isDone(onion: string): boolean {
    const uploads = this.#onions.get(onion);
    return (
      uploads !== undefined &&
      uploads.stored > 0 &&
      uploads.stored + uploads.refused >= uploads.asked
    );
  }
}
