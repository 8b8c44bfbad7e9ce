/* The desk in JupyterLab: shows the page that the server made, and turns what is clicked in it into commands.
 * Written by hand, no build step: the object at the end is the container that JupyterLab's module federation asks for. */
(() => {
  'use strict';
  const ID = 'carelab-desk';
  const ICON =
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" ' +
    'd="M12 3 1 9l11 6 9-4.9V17h2V9L12 3zM5 13.2v4L12 21l7-3.8v-4L12 17l-7-3.8z"/></svg>';
  const NOTE_EVERY = 30; // seconds
  const STILL_HERE = 180; // seconds since the last key, pointer or scroll

  function plugin(apputils, application, launchers, services, ui, widgets) {
    const { Dialog, ICommandPalette, MainAreaWidget, WidgetTracker, showDialog } = apputils;

    class View extends widgets.Widget {
      constructor(onShow) {
        super();
        this.addClass(ID);
        this.say = document.createElement('p');
        this.say.className = 'cl-say';
        this.say.setAttribute('role', 'status');
        this.page = document.createElement('div');
        this.node.append(this.say, this.page);
        this.onAfterShow = onShow;
        this.onAfterAttach = onShow;
        this.onAfterHide = () => (this.say.textContent = '');
      }
    }

    function activate(app, palette, launcher, restorer) {
      const { commands, shell } = app;
      const server = app.serviceManager.serverSettings;
      const icon = new ui.LabIcon({ name: 'carelab:desk', svgstr: ICON });
      const tracker = new WidgetTracker({ namespace: ID });
      let panel = null; // the desk, while it is open
      let shown = ''; // the HTML it shows
      let waiting = ''; // what somebody else started, in words
      let timer = 0;
      let asked = 0; // the last request for it; what comes for an earlier one is old

      const style = document.createElement('link');
      style.rel = 'stylesheet';
      style.href = new URL('style.css', SOURCE).href;
      document.head.append(style);

      async function ask(name, body) {
        const init = body ? { method: 'POST', body: JSON.stringify(body) } : {};
        let response;
        try {
          response = await services.ServerConnection.makeRequest(`${server.baseUrl}carelab/${name}`, init, server);
        } catch {
          throw new Error('The course does not answer: the window it was started from may be closed.');
        }
        const text = await response.text();
        if (!body && response.ok) return text;
        let message = `The course answered with an error (${response.status}).`;
        try {
          message = JSON.parse(text).message ?? message;
        } catch {}
        if (!response.ok) throw new Error(message);
        return message;
      }

      function say(text, failed = false) {
        if (!panel) return;
        panel.content.say.classList.toggle('cl-failed', failed);
        panel.content.say.textContent = text;
      }

      function show(html) {
        if (html === shown) return;
        const { node, page } = panel.content;
        const focus = page.contains(document.activeElement) ? document.activeElement.id : '';
        const top = node.scrollTop;
        const open = new Map([...page.querySelectorAll('details[id]')].map(part => [part.id, part.open]));
        const name = page.querySelector('#cl-name')?.value ?? '';
        page.innerHTML = shown = html; // made by our own server, which escapes everything it puts in
        for (const part of page.querySelectorAll('details[id]')) part.open = open.get(part.id) ?? part.open;
        node.scrollTop = top;
        if (name && page.querySelector('#cl-name')) page.querySelector('#cl-name').value = name;
        if (focus) (document.getElementById(focus) ?? page.querySelector('a, button'))?.focus({ preventScroll: true });
      }

      // What another window started, or this one before it was loaded again: said, and looked at until it is done.
      function wait() {
        const busy = panel.content.page.querySelector('[data-busy]')?.dataset.busy ?? '';
        const { say: line } = panel.content;
        if (busy && !line.textContent) say((waiting = busy));
        else if (!busy && waiting && line.textContent === waiting) say('');
        clearTimeout(timer);
        if (busy) timer = setTimeout(refresh, 2000);
      }

      async function refresh() {
        if (!panel?.isVisible || panel.content.page.querySelector('textarea:focus, input[type="text"]:focus')) return;
        const mine = ++asked;
        try {
          const html = await ask('desk');
          if (!panel || mine !== asked) return;
          show(html);
          wait();
        } catch (error) {
          if (!panel || mine !== asked) return;
          if (shown) return say(error.message, true);
          panel.content.page.innerHTML =
            '<div class="cl-page"><p>The course’s page did not come. Your notebooks are in the list on the left.</p>' +
            '<p><button type="button" class="cl-button" data-do="again">Try again</button></p></div>';
        }
      }

      async function act(words, name, body) {
        say(words);
        try {
          say(await ask(name, body));
        } catch (error) {
          say(error.message, true);
        }
        await refresh();
      }

      function openDesk(activate = true) {
        if (!panel || panel.isDisposed) {
          shown = '';
          panel = new MainAreaWidget({ content: new View(() => void refresh()) });
          panel.id = ID;
          panel.toolbar.hide(); // it has nothing in it
          Object.assign(panel.title, { label: 'Course', icon, closable: true });
          panel.disposed.connect(() => (panel = null));
          panel.content.node.addEventListener('click', clicked);
          panel.content.node.addEventListener('change', changed);
        }
        if (!panel.isAttached) shell.add(panel, 'main', { activate: false });
        if (!tracker.has(panel)) void tracker.add(panel);
        if (activate) shell.activateById(panel.id);
      }

      const context = widget => widget?.context;
      const front = () => {
        const path = context(shell.currentWidget)?.localPath ?? '';
        return path.endsWith('.ipynb') ? path : '';
      };
      // One after the other: two saves of a file at once make JupyterLab ask which of the two is the right one.
      const saving = new WeakMap();
      function watch(widget) {
        const one = context(widget);
        if (!one || saving.has(one)) return;
        saving.set(one, false);
        one.saveState.connect((_, state) => saving.set(one, state === 'started'));
      }
      async function saveAll() {
        for (const widget of shell.widgets('main')) {
          const one = context(widget);
          for (let tries = 0; tries < 100 && saving.get(one); tries++) await new Promise(done => setTimeout(done, 50));
          if (one?.model?.dirty && !one.model.readOnly) await one.save();
        }
      }

      async function go(path, anchor) {
        const widget = await commands.execute('docmanager:open', { path });
        if (!anchor || !widget?.setFragment) return;
        await widget.context.ready;
        let cell = -1;
        // A notebook that has just opened draws its cells one after the other: ask until the heading is in view and stays.
        const name = CSS.escape(anchor);
        for (let tries = 0, before = NaN, stays = 0; tries < 30 && stays < 2 && widget.isVisible; tries++) {
          await widget.setFragment(`#heading=${anchor}`);
          await new Promise(done => setTimeout(done, 150));
          const heading = widget.node.querySelector(`[data-jupyter-id="${name}"], [id="${name}"]`);
          const top = heading?.getBoundingClientRect().top ?? NaN;
          const box = widget.node.getBoundingClientRect();
          stays = top === before && top >= box.top && top < box.bottom ? stays + 1 : 0;
          before = top;
          if (heading) cell = widget.content.widgets?.findIndex(one => one.node.contains(heading)) ?? -1;
        }
        if (cell < 0) return;
        widget.content.activeCellIndex = cell; // so that the keyboard goes on from here
        widget.content.activate();
      }

      async function check(week) {
        if (week === undefined && front().startsWith('backups/')) {
          openDesk();
          return say('This is a kept copy, which is not checked: open the notebook in the week’s own folder.', true);
        }
        const named = week ?? Number(/(?:^|\/)week_(\d+)/.exec(front())?.[1] ?? NaN);
        const number = Number.isInteger(named) ? named : firstWeek();
        await saveAll();
        openDesk();
        if (!number) return say('Open a notebook of the week you want checked, or use the button beside the week.', true);
        await act(`Checking week ${number} …`, 'check', { week: number });
        const found = document.getElementById(`cl-results-${number}`);
        if (!found) return;
        for (const part of ['week', 'tasks']) document.getElementById(`cl-${part}-${number}`).open = true;
        found.scrollIntoView();
      }
      const firstWeek = () => Number(panel?.content.page.querySelector('#cl-check-next')?.dataset.week ?? NaN);

      async function rewrite(name, path) {
        if (name === 'reset') {
          const sure = await showDialog({
            title: 'Start this notebook over?',
            body:
              `${path} becomes what it was when you got it. Your copy, with all that is not saved yet, is kept in the folder ` +
              'backups. What was verified in this notebook has to be done and checked again.',
            buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Start over' })],
            defaultButton: 0
          });
          if (!sure.button.accept) return;
        }
        await saveAll(); // so that what is kept is what the learner sees
        await act(name === 'reset' ? 'Starting over …' : 'Taking the new version …', name, { name: path });
        await reload(path);
        if (name !== 'reset') return;
        for (const widget of shell.widgets('main')) // what the old cells made is gone, too
          if (context(widget)?.localPath === path && widget.sessionContext?.session?.kernel) await widget.sessionContext.restartKernel();
      }

      async function reload(path) {
        for (const widget of shell.widgets('main')) if (context(widget)?.localPath === path) await context(widget).revert();
      }

      function clicked(event) {
        const target = event.target.closest('[data-do], a[data-path]');
        if (!target) return;
        event.preventDefault();
        const { path, anchor, week, name } = target.dataset;
        if (path) {
          void go(path, anchor);
        } else if (target.dataset.do === 'check') void check(Number(week));
        else if (target.dataset.do === 'portfolio') void commands.execute('carelab:portfolio');
        else if (target.dataset.do === 'again') void refresh();
        else void rewrite(target.dataset.do, name);
      }

      function changed(event) {
        if (event.target.name === 'cl-track') void act('', 'track', { track: event.target.value });
      }

      commands.addCommand('carelab:desk', {
        label: 'Course overview',
        caption: 'Where you stand, and what comes next',
        icon,
        execute: () => openDesk()
      });
      commands.addCommand('carelab:check', {
        label: 'Check my work',
        caption: 'Run all checks of this week, the hidden ones included',
        execute: () => check()
      });
      commands.addCommand('carelab:portfolio', {
        label: 'Make my portfolio',
        caption: 'Your projects as a page and a PDF',
        execute: async () => {
          await saveAll();
          openDesk();
          const name = panel.content.page.querySelector('#cl-name')?.value ?? '';
          await act('Making your portfolio …', 'portfolio', { name });
          for (const kind of ['html', 'pdf']) await reload(`portfolio/portfolio.${kind}`);
        }
      });
      for (const command of ['carelab:desk', 'carelab:check', 'carelab:portfolio'])
        palette?.addItem({ command, category: 'Course' });
      launcher?.add({ command: 'carelab:desk', category: 'Other', rank: 0 });
      void restorer?.restore(tracker, { command: 'carelab:desk', name: () => 'desk' });

      // It opens by itself. In front, unless this is a reload of the same tab or an address that names a notebook.
      void app.restored.then(() => {
        const begun = sessionStorage.getItem(ID) || location.pathname.includes('/tree/');
        sessionStorage.setItem(ID, 'open');
        openDesk(!begun || shell.isEmpty('main'));
      });

      let touched = 0;
      for (const kind of ['keydown', 'pointerdown', 'pointermove', 'wheel', 'scroll'])
        document.addEventListener(kind, () => (touched = Date.now()), { capture: true, passive: true });
      const note = (path, seconds) => ask('time', { path, seconds }).catch(() => {}); // the next one tells
      setInterval(() => {
        const here = document.visibilityState === 'visible' && Date.now() - touched < STILL_HERE * 1000;
        if (here && front()) void note(front(), NOTE_EVERY);
      }, NOTE_EVERY * 1000);
      shell.currentChanged?.connect(() => {
        watch(shell.currentWidget);
        if (front()) void note(front(), 0); // the place to continue at
      });
    }

    return {
      id: `${ID}:plugin`,
      description: 'The desk: where a learner stands in the course, and what comes next.',
      autoStart: true,
      optional: [ICommandPalette, launchers.ILauncher, application.ILayoutRestorer],
      activate
    };
  }

  const SOURCE = document.currentScript.src;
  const NEEDED = ['apputils', 'application', 'launcher', 'services', 'ui-components'].map(name => `@jupyterlab/${name}`);
  let scope = {};

  async function shared(name) {
    const provided = Object.values(scope[name] ?? {});
    const one = provided.find(version => version.loaded) ?? provided[0];
    if (!one) throw new Error(`JupyterLab does not share ${name}`);
    return (await one.get())();
  }

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB[ID] = {
    init: given => {
      scope = given;
    },
    get: async () => {
      const made = plugin(...(await Promise.all([...NEEDED, '@lumino/widgets'].map(shared))));
      return () => ({ __esModule: true, default: made });
    }
  };
})();
