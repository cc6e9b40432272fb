// The page for addresses that lead nowhere: it says so, and where one can go instead.

import { ButtonLink } from '../ui/controls';
import { ArrowIcon } from '../ui/icons';
import { Page, Top } from '../ui/layout';

export function NotFound({ path }: { path: string }) {
  return (
    <>
      <Top />
      <Page narrow>
        <section class="lost">
          <svg class="lost-art" viewBox="26 8 148 104" aria-hidden="true">
            <rect x="28" y="10" width="144" height="88" rx="12" />
            <path d="M76 110h48" />
            <path class="gone" d="M82 36l36 36M118 36 82 72" />
          </svg>
          <h1>There is nothing at this address</h1>
          <p class="lead">
            <code>{path}</code> is not a page of this server. Perhaps a letter went missing on the way: links to streams
            look like <code>/w/name</code>.
          </p>
          <div class="row">
            <ButtonLink href="/" variant="primary">
              Go to the start page
              <ArrowIcon />
            </ButtonLink>
            <ButtonLink href="/studio">Share a video</ButtonLink>
          </div>
        </section>
      </Page>
    </>
  );
}
