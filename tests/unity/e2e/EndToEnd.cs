using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using Callsheet.Core;
using Callsheet.Wire;

namespace Callsheet.Tests
{
    /// <summary>
    /// Plays a game against a real server: <c>mono EndToEnd.exe SCENARIO URL</c>.
    ///
    /// Prints what happened, one event a line; exit status 1 and the reason if something is wrong.
    /// </summary>
    internal static class EndToEnd
    {
        private const double PatienceS = 30;
        private static readonly Stopwatch Clock = Stopwatch.StartNew();
        private static Session _session;
        private static GameWorld _world;
        private static Player _player;
        private static readonly List<CallsheetError> Errors = new List<CallsheetError>();
        private static readonly List<Exception> Thrown = new List<Exception>();
        private static readonly HashSet<Thread> Threads = new HashSet<Thread>();
        private static readonly List<long> Handled = new List<long>();
        private static int _sessions;
        private static int _resumes;

        private static int Main(string[] args)
        {
            try
            {
                Open(args[1], args[0] == "town" ? 1000 : 5);
                switch (args[0])
                {
                    case "absent": Absent(); break;
                    case "town": Town(); break;
                    case "cut": Cut(); break;
                    case "restart": Restart(); break;
                    case "flood": Flood(); break;
                    case "refused": Refused(); break;
                    default: throw new ArgumentException(args[0]);
                }
                _session.Stop();
                Until(() => _session.State == SessionState.Stopped, "stopped");
                Check(Thrown.Count == 0, "a handler threw: " + string.Join("; ", Thrown));
                Check(Threads.All(t => t == Thread.CurrentThread), "handlers ran on " + Threads.Count + " threads");
                Say("passed");
                return 0;
            }
            catch (Exception e)
            {
                Console.WriteLine("FAILED " + e);
                return 1;
            }
        }

        /// <summary>Nobody answers, or nobody is there: one error, attempts in the background, and the game runs on.</summary>
        private static void Absent()
        {
            Until(() => _session.FailuresInARow >= 2, "two attempts");
            Check(Errors.Count == 1 && Errors[0].Code == ErrorCode.ConnectionFailed, "errors: " + string.Join("; ", Errors));
            Reply reply = _world.Npcs[0].Say("Anybody there?", _player);
            Check(reply.State == ReplyState.Failed && reply.Error.Code == ErrorCode.ConnectionFailed, "a reply without a server: " + reply.State);
        }

        /// <summary>A thousand NPCs, 60 ticks a second, talks while it runs.</summary>
        private static void Town()
        {
            Join();
            var replies = new List<Reply>();
            double endS = Now + 2;
            long before = _world.TicksSent;
            int frames = 0, bytes = 0;
            for (double nextS = Now; Now < endS; nextS += 1.0 / 60)
            {
                for (int i = 0; i < _world.Npcs.Count; i++)
                {
                    double angle = (Now * 9) + i;
                    _world.Npcs[i].SetMotion((float)(i % 40 + Math.Cos(angle)), 0, (float)(i / 40 + Math.Sin(angle)), 0, 0, 0);
                }
                if (frames++ % 30 == 0 && replies.Count < 4)
                {
                    replies.Add(_world.Npcs[replies.Count * 100].Say("How is business, number " + replies.Count + "?", _player));
                }
                Frame();
                bytes = Math.Max(bytes, _world.LastTickBytes);
                Wait(nextS + (1.0 / 60) - Now);
            }
            Until(() => replies.All(r => r.IsComplete), "all replies complete");
            foreach (Reply reply in replies)
            {
                Check(reply.State == ReplyState.Ended, reply.Npc.Id + ": " + reply.Error);
                Check(reply.Text.Length > 0, "an empty reply");
            }
            Until(() => _world.TickRoundTripS.HasValue && _world.LastStats != null, "ack and stats");
            Until(() => _world.LastStats.Ticks >= _world.TicksSent - 30, "the server took the ticks");
            Check(_world.LastStats.Npcs == 1000, "the server knows " + _world.LastStats.Npcs + " NPCs");
            Check(_world.Npcs.Count(n => n.LastState != null) == 1000, "states of all NPCs came");
            Check(Errors.Count == 0, "errors: " + string.Join("; ", Errors));
            Check(bytes > 30000, "ticks of " + bytes + " bytes");
            Say("ticks " + (_world.TicksSent - before) + " bytes " + bytes + " replies " + replies.Count + " round_trip_ms "
                + (_world.TickRoundTripS.Value * 1000).ToString("F1"));
        }

        /// <summary>The connection is cut in mid-reply; the reply goes on as if nothing had been.</summary>
        private static void Cut()
        {
            Join();
            var added = new List<string>();
            int completed = 0;
            Reply reply = _world.Npcs[0].Say("Tell me a long story.", _player);
            reply.TextAdded += (r, text) => added.Add(text);
            reply.Completed += r => completed++;
            Until(() => added.Count >= 2, "the reply has begun");
            Say("cut-now");
            Until(() => _session.State != SessionState.Open, "the connection is gone");
            Reply second = _world.Npcs[1].Say("And you?", _player);
            Until(() => reply.IsComplete && second.IsComplete, "both replies complete");
            Check(_resumes >= 1 && _sessions == 1, "resumes " + _resumes + ", sessions " + _sessions);
            Check(reply.State == ReplyState.Ended && second.State == ReplyState.Ended, "failed: " + reply.Error + second.Error);
            Check(completed == 1, "completed " + completed + " times");
            Check(string.Concat(added) == reply.End.Text, "the deltas joined are not the text");
            NoneTwice();
            Say("resumed chars " + reply.Text.Length);
        }

        /// <summary>The server is killed in mid-reply and starts anew; the world is there again.</summary>
        private static void Restart()
        {
            Join();
            Reply done = _world.Npcs[1].Say("Good morning.", _player);
            Until(() => done.IsComplete, "the first reply is complete");
            Reply cut = _world.Npcs[0].Say("Tell me a long story.", _player);
            int completed = 0;
            cut.Completed += r => completed++;
            Until(() => cut.Text.Length > 5, "the reply has begun");
            Handled.Clear();
            Say("kill-now");
            Until(() => _session.State != SessionState.Open, "the connection is gone");
            Until(() => _session.State == SessionState.Open && _sessions == 2, "a new session");
            Until(() => cut.IsComplete, "the cut reply is told to have failed");
            Check(cut.State == ReplyState.Failed && cut.Error.Code == ErrorCode.SessionLost && completed == 1, "cut reply: " + cut.State);
            Check(done.State == ReplyState.Ended, "what was complete stays complete");
            Until(() => _world.Npcs.All(n => n.IsSpawned), "all NPCs are there again");
            Reply again = _world.Npcs[0].Say("Where were we?", _player);
            Until(() => again.IsComplete, "the reply after the restart");
            Check(again.State == ReplyState.Ended && again.Text.Length > 0, "after the restart: " + again.Error);
            NoneTwice();
            Say("restarted");
        }

        /// <summary>One spec of a batch is refused; it alone is told, and nobody stays behind when all leave.</summary>
        private static void Refused()
        {
            Npc bad = _world.Add(new NpcSpec { Npc = "bad", Name = "Bad", Adapter = "typo" });
            Until(() => _world.Npcs.All(n => n.IsSpawned || n.Refusal != null), "everybody spawned or refused");
            Until(() => _world.LastStats != null && _world.LastStats.Npcs == 5, "five are on the server");
            Check(bad.Refusal.Code == ErrorCode.UnknownAdapter && bad.Refusal.Field == "adapter" && bad.Refusal.Value == "\"typo\"", "told: " + bad.Refusal);
            foreach (Npc npc in _world.Npcs.ToList())
            {
                _world.Remove(npc);
            }
            Until(() => _world.LastStats != null && _world.LastStats.Npcs == 0, "nobody is left on the server");
            Check(Errors.Count == 1, "errors: " + string.Join("; ", Errors));
        }

        /// <summary>The game looks away while much is told, and catches up.</summary>
        private static void Flood()
        {
            Join();
            var replies = new List<Reply>();
            for (int i = 0; i < 20; i++)
            {
                replies.Add(_world.Npcs[i % 5].Say("Line " + i, _player));
            }
            for (int i = 0; i < 20; i++)
            {
                Frame();
                Wait(0.01);
            }
            Thread.Sleep(1000);
            Until(() => replies.All(r => r.IsComplete), "all replies complete");
            Check(replies.All(r => r.State == ReplyState.Ended), "failed: " + string.Join("; ", Errors));
            NoneTwice();
            Say("caught-up " + replies.Count);
        }

        private static void Open(string url, int npcs)
        {
            _session = new Session(new SessionOptions { Url = url, World = "town", ConnectTimeoutS = 1 }, () => new WebSocketTransport());
            _session.ErrorRaised += Errors.Add;
            _session.HandlerThrew += Thrown.Add;
            _session.StateChanged += (old, state) => Threads.Add(Thread.CurrentThread);
            _session.Opened += w =>
            {
                _sessions += w.Resumed ? 0 : 1;
                _resumes += w.Resumed ? 1 : 0;
            };
            _session.Received += m =>
            {
                Threads.Add(Thread.CurrentThread);
                var reliable = m as ReliableMessage;
                if (reliable != null)
                {
                    Handled.Add(reliable.Seq.Value);
                }
            };
            var options = new WorldOptions { TicksPerS = 60, AckTicks = true, Topics = new[] { Topic.Npcs, Topic.Stats }, TopicIntervalS = 0.25 };
            _world = new GameWorld(_session, options);
            _player = _world.Add(new PlayerSpec { Player = "ann", Name = "Ann" });
            _player.SetMotion(0, 0, 0, 0, 0, 0);
            for (int i = 0; i < npcs; i++)
            {
                Npc npc = _world.Add(new NpcSpec { Npc = "npc" + i, Name = "Npc " + i, Persona = "You are number " + i + " of the town." });
                npc.SetMotion(i % 40, 0, i / 40, 0, 0, 0);
            }
            _session.Start();
        }

        private static void Join()
        {
            Until(() => _session.State == SessionState.Open && _world.Npcs.All(n => n.IsSpawned), "spawned");
        }

        private static void NoneTwice()
        {
            for (int i = 1; i < Handled.Count; i++)
            {
                // One session's numbers only grow; a new session begins at a small one.
                Check(Handled[i] > Handled[i - 1] || (_sessions > 1 && Handled[i] == 1), "message " + Handled[i] + " after " + Handled[i - 1]);
            }
        }

        private static double Now => Clock.Elapsed.TotalSeconds;

        private static void Frame()
        {
            _session.Tick(Now);
            _world.Tick(Now, Now);
        }

        private static void Until(Func<bool> condition, string what)
        {
            for (double deadlineS = Now + PatienceS; !condition(); Wait(0.005))
            {
                Frame();
                Check(Now < deadlineS, "waited in vain for: " + what + "; state " + _session.State + "; errors " + string.Join("; ", Errors));
            }
        }

        private static void Wait(double seconds)
        {
            if (seconds > 0)
            {
                Thread.Sleep(TimeSpan.FromSeconds(seconds));
            }
        }

        private static void Check(bool fine, string what)
        {
            if (!fine)
            {
                throw new InvalidOperationException(what);
            }
        }

        private static void Say(string what)
        {
            Console.WriteLine(what);
            Console.Out.Flush();
        }
    }
}
