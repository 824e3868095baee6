using System;
using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>
    /// A game's NPCs and players, kept the same on the server whatever happens to the connection.
    ///
    /// What is added is spawned in batches; where it is goes out in ticks; after a session was lost
    /// everything is told again. One world drives one session of role <see cref="Role.Game"/>.
    /// </summary>
    public sealed partial class GameWorld
    {
        private readonly Session _session;
        private readonly WorldOptions _options;
        private readonly Spawner _spawner;
        private readonly Dictionary<string, Npc> _npcs = new Dictionary<string, Npc>();
        private readonly Dictionary<string, Player> _players = new Dictionary<string, Player>();
        private readonly List<Npc> _npcList = new List<Npc>();
        private readonly List<Player> _playerList = new List<Player>();
        private readonly Dictionary<long, Reply> _others = new Dictionary<long, Reply>();

        /// <summary>Makes a world in a session; the session opens it.</summary>
        public GameWorld(Session session, WorldOptions options)
        {
            _session = session ?? throw new ArgumentNullException(nameof(session));
            _options = options ?? throw new ArgumentNullException(nameof(options));
            options.Check();
            _spawner = new Spawner(session);
            session.Opened += OnOpened;
            session.Received += OnReceived;
            _spawner.Noted += note => Noted?.Invoke(note);
        }

        /// <summary>The server has a note for who makes the game, in one line: the model cannot choose actions, for example.</summary>
        public event Action<string> Noted;

        /// <summary>The NPCs that were added and not removed.</summary>
        public IReadOnlyList<Npc> Npcs => _npcList;

        /// <summary>The players that were added and not removed.</summary>
        public IReadOnlyList<Player> Players => _playerList;

        /// <summary>What the server said last of itself; null before that, and without <see cref="Topic.Stats"/>.</summary>
        public StatsMessage LastStats { get; private set; }

        /// <summary>Adds an NPC. It can be spoken to at once; what is said waits until it is spawned.</summary>
        /// <exception cref="CallsheetException">A field breaks a rule of the protocol.</exception>
        /// <exception cref="ArgumentException">An NPC with this id is in the world.</exception>
        public Npc Add(NpcSpec spec)
        {
            _spawner.Check(new SpawnMessage { Npcs = new[] { spec } });
            if (_npcs.ContainsKey(spec.Npc))
            {
                throw new ArgumentException("an NPC with the id '" + spec.Npc + "' is in the world already; ids are unique");
            }
            var npc = new Npc(this, spec);
            _npcs.Add(npc.Id, npc);
            _npcList.Add(npc);
            _spawner.Add(npc);
            return npc;
        }

        /// <summary>Adds a player.</summary>
        /// <exception cref="CallsheetException">A field breaks a rule of the protocol.</exception>
        /// <exception cref="ArgumentException">A player with this id is in the world.</exception>
        public Player Add(PlayerSpec spec)
        {
            _spawner.Check(new SpawnMessage { Players = new[] { spec } });
            if (_players.ContainsKey(spec.Player))
            {
                throw new ArgumentException("a player with the id '" + spec.Player + "' is in the world already; ids are unique");
            }
            var player = new Player(spec);
            _players.Add(player.Id, player);
            _playerList.Add(player);
            _spawner.Add(player);
            return player;
        }

        /// <summary>Removes an NPC; its open replies end. Nothing happens if it is not in the world.</summary>
        public void Remove(Npc npc)
        {
            if (_npcs.TryGetValue(npc.Id, out Npc found) && found == npc)
            {
                _npcs.Remove(npc.Id);
                _npcList.Remove(npc);
                _spawner.Remove(npc);
            }
        }

        /// <summary>Removes a player. Nothing happens if it is not in the world.</summary>
        public void Remove(Player player)
        {
            if (_players.TryGetValue(player.Id, out Player found) && found == player)
            {
                _players.Remove(player.Id);
                _playerList.Remove(player);
                _spawner.Remove(player);
            }
        }

        /// <summary>The NPC with that id; null if there is none.</summary>
        public Npc FindNpc(string id) => _npcs.TryGetValue(id, out Npc npc) ? npc : null;

        /// <summary>Takes an NPC or player out of the simulation without removing it, or puts it back.</summary>
        public void SetActive(Mover mover, bool active)
        {
            if (mover.IsActive != active)
            {
                mover.IsActive = active;
                _keyframeIsDue = true;
            }
        }

        /// <summary>Asks why an NPC has the distance it has.</summary>
        public void Explain(Npc npc, IRequestHandler handler) => _session.Request(new ExplainMessage { Npc = npc.Id }, handler);

        internal Reply Ask(Npc npc, RequestMessage request)
        {
            if (_session.State == SessionState.Open)
            {
                // Who speaks or is spoken to may have been added in this frame: it is spawned first.
                _spawner.Flush();
            }
            if (_session.Welcome != null && !_spawner.IsServerCurrent)
            {
                // A server before 1.3 would refuse the whole line for them.
                if (request is SayMessage say)
                {
                    say.Actions = null;
                    say.AudibleM = null;
                }
                else if (request is SpeakMessage speak)
                {
                    speak.AudibleM = null;
                }
            }
            var reply = new Reply(_session, npc, request);
            if (npc.Refusal != null)
            {
                _spawner.Check(request);
                reply.Fail(npc.Refusal);
                return reply;
            }
            _session.Request(request, reply);
            return reply;
        }

        internal void Update(Npc npc, UpdateNpcMessage change)
        {
            _spawner.Check(change);
            npc.ActionSpecs = change.ActionSpecs ?? npc.ActionSpecs;
            npc.Knowledge = change.Knowledge ?? npc.Knowledge;
            if (_session.State == SessionState.Open && !_spawner.IsServerCurrent)
            {
                change.ActionSpecs = null;
                change.Knowledge = null;
            }
            if (npc.IsSpawned || npc.Presence == Presence.UnderWay)
            {
                _session.Request(change);
            }
            npc.Spec.Name = change.Name ?? npc.Spec.Name;
            npc.Spec.Persona = change.Persona ?? npc.Spec.Persona;
            npc.Spec.Adapter = change.Adapter == null ? npc.Spec.Adapter : change.Adapter.Length == 0 ? null : change.Adapter;
            npc.Spec.InteractionRadiusM = change.InteractionRadiusM ?? npc.Spec.InteractionRadiusM;
            npc.Spec.Sociability = change.Sociability ?? npc.Spec.Sociability;
            npc.Spec.Schedule = change.Schedule ?? npc.Spec.Schedule;
            npc.Spec.Actions = change.Actions ?? npc.Spec.Actions;
            if (npc.Presence == Presence.Refused)
            {
                _spawner.Add(npc);
            }
        }

        private void OnOpened(WelcomeMessage welcome)
        {
            _keyframeIsDue = true;
            if (welcome.Resumed)
            {
                _spawner.Flush();
                return;
            }
            _tickNumber = 0;
            // Another session may have left the world at a later time than that of this game.
            _rewinds = CanRewind;
            foreach (Reply reply in new List<Reply>(_others.Values))
            {
                reply.Fail(new CallsheetError(ErrorCode.SessionLost, "the session ended while " + reply.Npc.Id + " spoke"));
            }
            _others.Clear();
            Configure();
            _spawner.Restart(_npcList, _playerList);
            _spawner.Flush();
            if (_options.Topics.Length > 0)
            {
                var subscribe = new SubscribeMessage { Topics = _options.Topics, IntervalS = _options.TopicIntervalS };
                _session.Request(subscribe, null, true);
            }
        }

        private void OnReceived(ServerMessage message)
        {
            switch (message.Type)
            {
                case "npc_states":
                    foreach (NpcState state in ((NpcStatesMessage)message).Npcs)
                    {
                        if (_npcs.TryGetValue(state.Npc, out Npc npc))
                        {
                            npc.LastState = state;
                        }
                    }
                    break;
                case "stats":
                    LastStats = (StatsMessage)message;
                    break;
                case "tick_ack":
                    uint tick = ((TickAckMessage)message).Tick;
                    if (_tickNumber - tick <= 256)
                    {
                        TickRoundTripS = _nowS - _tickSentAtS[tick & 255];
                    }
                    break;
                case "reply_start":
                    var start = (ReplyStartMessage)message;
                    if (start.Id == null && _npcs.TryGetValue(start.Npc, out Npc speaker))
                    {
                        _others[start.Reply] = new Reply(_session, speaker, null);
                    }
                    TakeOther(start.Reply, message, false);
                    break;
                case "reply_delta":
                    TakeOther(((ReplyDeltaMessage)message).Reply, message, false);
                    break;
                case "action":
                    TakeOther(((ActionMessage)message).Reply, message, false);
                    break;
                case "reply_end":
                    TakeOther(((ReplyEndMessage)message).Reply, message, true);
                    break;
            }
        }

        /// <summary>A message about a reply that this game did not ask for.</summary>
        private void TakeOther(long number, ServerMessage message, bool last)
        {
            if (!_others.TryGetValue(number, out Reply reply))
            {
                return;
            }
            if (last)
            {
                _others.Remove(number);
            }
            reply.Take(message);
        }
    }
}
