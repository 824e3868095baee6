using System;
using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>Tells the server who is in the world, in batches that keep to its limits.</summary>
    internal sealed class Spawner
    {
        /// <summary>JSON text of one spec at most: six bytes for a character, plus names, numbers, schedule and actions.</summary>
        private const int BytesPerChar = 6;
        private const int BytesPerSpec = 512;
        private const int BytesPerCall = 64;
        private const int BytesPerAction = 68;

        private readonly Session _session;
        private readonly Roster<Npc> _npcs = new Roster<Npc>();
        private readonly Roster<Player> _players = new Roster<Player>();
        private readonly JsonWriter _writer = new JsonWriter();

        internal Spawner(Session session)
        {
            _session = session;
        }

        /// <summary>False: the server is of a version before 1.3, and would refuse what came with that.</summary>
        internal bool IsServerCurrent => Versions.Has(_session.Welcome.Protocol, 3);

        /// <summary>The server's note to who made the game.</summary>
        internal event Action<string> Noted;

        /// <summary>Throws if the protocol does not allow the message.</summary>
        internal void Check(RequestMessage message)
        {
            message.Id = 1;
            _writer.Begin(message.Type);
            message.WriteFields(_writer);
        }

        internal void Add(Npc npc) => _npcs.Add(npc);

        internal void Add(Player player) => _players.Add(player);

        internal void Remove(Npc npc) => _npcs.Remove(npc);

        internal void Remove(Player player) => _players.Remove(player);

        /// <summary>A new session: everybody is to be spawned again, and nobody removed.</summary>
        internal void Restart(List<Npc> npcs, List<Player> players)
        {
            npcs.ForEach(npc => npc.LastState = null);
            _npcs.Restart(npcs);
            _players.Restart(players);
        }

        /// <summary>Sends what was added and removed since the last time.</summary>
        internal void Flush()
        {
            string[] goneNpcs = _npcs.TakeDeparting();
            string[] gonePlayers = _players.TakeDeparting();
            if (goneNpcs.Length > 0 || gonePlayers.Length > 0)
            {
                _session.Request(new DespawnMessage { Npcs = goneNpcs, Players = gonePlayers }, null, true);
            }
            Npc[] newNpcs = _npcs.TakeArriving();
            Player[] newPlayers = _players.TakeArriving();
            if (newNpcs.Length == 0 && newPlayers.Length == 0)
            {
                return;
            }
            int maxNpcs = (int)_session.Welcome.Limits.MaxNpcsPerSpawn;
            long maxBytes = _session.Welcome.Limits.MaxMessageBytes;
            var npcs = new List<Npc>();
            long bytes = BytesPerSpec * (newPlayers.Length + 1);
            foreach (Npc npc in newNpcs)
            {
                long size = Size(npc);
                if (npcs.Count == maxNpcs || (npcs.Count > 0 && bytes + size > maxBytes))
                {
                    Send(npcs, newPlayers);
                    npcs.Clear();
                    newPlayers = Array.Empty<Player>();
                    bytes = BytesPerSpec;
                }
                npcs.Add(npc);
                bytes += size;
            }
            Send(npcs, newPlayers);
        }

        private static long Size(Npc npc)
        {
            NpcSpec spec = npc.Spec;
            long size = BytesPerSpec + (BytesPerChar * (spec.Persona.Length + spec.Name.Length)) + (BytesPerCall * spec.Schedule.Length)
                + (BytesPerAction * (spec.Actions == null ? 0 : spec.Actions.Length));
            foreach (ActionSpec action in npc.ActionSpecs ?? Array.Empty<ActionSpec>())
            {
                size += BytesPerSpec + (BytesPerChar * (action.Description.Length + action.Parameters.ToString().Length));
            }
            foreach (string fact in npc.Knowledge ?? Array.Empty<string>())
            {
                size += BytesPerChar * fact.Length;
            }
            return size;
        }

        private void Send(List<Npc> npcs, Player[] players)
        {
            var batch = new Batch(this, npcs.ToArray(), players);
            var message = new SpawnMessage
            {
                Npcs = Array.ConvertAll(batch.Npcs, Placed),
                Players = Array.ConvertAll(batch.Players, Placed),
            };
            _session.Request(message, batch, true);
        }

        private NpcSpec Placed(Npc npc)
        {
            npc.Spec.ActionSpecs = IsServerCurrent ? npc.ActionSpecs : null;
            npc.Spec.Knowledge = IsServerCurrent ? npc.Knowledge : null;
            npc.Spec.Position = npc.HasPlace ? new Vec3(npc.X, npc.Y, npc.Z) : npc.Spec.Position;
            return npc.Spec;
        }

        private static PlayerSpec Placed(Player player)
        {
            player.Spec.Position = player.HasPlace ? new Vec3(player.X, player.Y, player.Z) : player.Spec.Position;
            return player.Spec;
        }

        /// <summary>One spawn request and whom it is about.</summary>
        private sealed class Batch : IRequestHandler
        {
            private readonly Spawner _owner;

            internal Batch(Spawner owner, Npc[] npcs, Player[] players)
            {
                _owner = owner;
                Npcs = npcs;
                Players = players;
            }

            internal Npc[] Npcs { get; }

            internal Player[] Players { get; }

            public void OnSent(long id)
            {
            }

            public void OnMessage(ServerMessage message)
            {
                var spawned = (SpawnedMessage)message;
                if (spawned.Note != null)
                {
                    _owner.Noted?.Invoke(spawned.Note);
                }
                for (int i = 0; i < Npcs.Length && i < spawned.Npcs.Length; i++)
                {
                    _owner._npcs.Arrived(Npcs[i], spawned.Npcs[i].Handle);
                }
                for (int i = 0; i < Players.Length && i < spawned.Players.Length; i++)
                {
                    _owner._players.Arrived(Players[i], spawned.Players[i].Handle);
                }
            }

            /// <summary>Nobody of the batch is in the world: who is to blame is told, the others are sent again.</summary>
            public void OnFailed(CallsheetError error)
            {
                bool sessionIsOver = error.Code == ErrorCode.SessionLost || error.Code == ErrorCode.ConnectionFailed;
                var refused = sessionIsOver
                    ? new List<KeyValuePair<Mover, CallsheetError>>()
                    : SpawnRefusal.Find(error, Npcs, Players);
                refused.ForEach(one => one.Key.Presence = Presence.Refused);
                _owner._npcs.TurnedBack(Npcs);
                _owner._players.TurnedBack(Players);
                if (!sessionIsOver)
                {
                    _owner.Flush();
                }
                foreach (KeyValuePair<Mover, CallsheetError> one in refused)
                {
                    _owner._session.Guard(() => one.Key.Refuse(one.Value));
                }
            }
        }
    }
}
