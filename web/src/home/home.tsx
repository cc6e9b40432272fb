// The home page: what this is, the two ways on, and the addresses for developers.

import { useEffect, useState } from 'preact/hooks';
import { Button, ButtonLink, Field, IconButton } from '../ui/controls';
import {
  ArrowIcon,
  CameraIcon,
  CheckIcon,
  CodeIcon,
  CopyIcon,
  LockIcon,
  PaperIcon,
  PlayIcon,
  ShareIcon,
  ViewersIcon,
} from '../ui/icons';
import { Page, Top } from '../ui/layout';
import { Art } from './art';
import { DEMO, whenDemoLive } from './demo';
import { watchTarget } from './target';

export function Home() {
  return (
    <>
      <Top>
        <ButtonLink href="/f" variant="ghost">
          Files
        </ButtonLink>
        <ButtonLink href="/studio" variant="ghost">
          Studio
        </ButtonLink>
      </Top>
      <Page>
        <Hero />
        <Promises />
        <FilesCard />
        <Developers />
      </Page>
    </>
  );
}

function Hero() {
  const [demo, setDemo] = useState(false);
  useEffect(() => whenDemoLive(() => setDemo(true)), []);
  return (
    <section class="hero">
      <div class="hero-words">
        <h1>Show a video. Everyone watches together, live.</h1>
        <p class="lead">
          Pick a file, your camera or your screen. Whoever opens your link sees it at once, on a laptop or a phone, with
          nothing to install.
        </p>
        <div class="row">
          <ButtonLink href="/studio" variant="primary" large>
            Share a video
            <ArrowIcon />
          </ButtonLink>
          {/* Its place is kept while the server is being asked, so that nothing moves. */}
          <span class={demo ? 'demo here' : 'demo'}>
            {demo ? (
              <ButtonLink href={`/w/${DEMO}`} large icon={<PlayIcon />}>
                Watch the demo
              </ButtonLink>
            ) : null}
          </span>
        </div>
        <Join />
      </div>
      <Art />
    </section>
  );
}

function Join() {
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<string>();
  return (
    <form
      class="join"
      onSubmit={(event) => {
        event.preventDefault();
        const target = watchTarget(typed, window.location.origin);
        if (target) window.location.assign(target);
        else setError('That is neither a link nor the name of a stream.');
      }}
    >
      <Field label="You have a link?" error={error} hint="Paste it here, or type the name of a stream.">
        {(props) => (
          <div class="joined">
            <input
              {...props}
              class="input"
              type="text"
              inputMode="url"
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              value={typed}
              onInput={(event) => {
                setTyped(event.currentTarget.value);
                setError(undefined);
              }}
            />
            <Button submit disabled={typed.trim() === ''}>
              Watch
            </Button>
          </div>
        )}
      </Field>
    </form>
  );
}

function Promises() {
  return (
    <ul class="promises">
      <li>
        <CameraIcon size={26} />
        <h2>Straight from this browser</h2>
        <p>The video goes out as it plays. It is not uploaded first, and the server keeps no copy.</p>
      </li>
      <li>
        <ViewersIcon size={26} />
        <h2>At the same moment</h2>
        <p>Everyone sees the same picture within a fraction of a second. Pause, and it pauses for all.</p>
      </li>
      <li>
        <LockIcon size={26} />
        <h2>Only for whom you choose</h2>
        <p>
          Nobody can guess a link, unless you name it yourself. Add a password if you like, and end the stream whenever
          you want.
        </p>
      </li>
    </ul>
  );
}

function FilesCard() {
  return (
    <section class="files card" aria-labelledby="files">
      <div class="row">
        <PaperIcon size={26} />
        <h2 id="files">Send files, too</h2>
      </div>
      <p class="quiet">
        Of any size, from browser to browser. Those who receive pass on to each other what they have, so many get a file
        hardly later than one. The server introduces people and sees neither names nor content.
      </p>
      <div class="row">
        <ButtonLink href="/f" icon={<ShareIcon size={18} />}>
          Send files
        </ButtonLink>
      </div>
    </section>
  );
}

function Developers() {
  const origin = window.location.origin;
  return (
    <section class="developers card" aria-labelledby="developers">
      <div class="row">
        <CodeIcon size={26} />
        <h2 id="developers">For OBS and developers</h2>
      </div>
      <p class="quiet">
        Any program that speaks WHIP can publish here with your key, and any WHEP player can watch. In OBS Studio choose
        the service “WHIP”, and put your key into “Bearer Token”. Replace NAME by a name of your own.
      </p>
      <div class="addresses">
        <Address label="Publish (WHIP)" value={`${origin}/whip/NAME`} />
        <Address label="Watch (WHEP)" value={`${origin}/whep/NAME`} />
        <Address label="Page for viewers" value={`${origin}/w/NAME`} />
      </div>
      <p class="quiet">
        How long does the picture take, by this server and by other ways?{' '}
        <a href="/compare">Measure it in this browser</a>.
      </p>
    </section>
  );
}

function Address({ label, value }: { label: string; value: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 2_500);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <Field label={label}>
      {(props) => (
        <div class="joined">
          <input
            {...props}
            class="input mono"
            readOnly
            value={value}
            onFocus={(event) => event.currentTarget.select()}
          />
          {navigator.clipboard ? (
            <IconButton
              label={done ? 'Copied' : `Copy the address: ${label}`}
              onClick={() =>
                navigator.clipboard.writeText(value).then(
                  () => setDone(true),
                  () => undefined,
                )
              }
            >
              {done ? <CheckIcon /> : <CopyIcon />}
            </IconButton>
          ) : null}
        </div>
      )}
    </Field>
  );
}
