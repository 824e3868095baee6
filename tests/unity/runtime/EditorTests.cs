using System;
using System.Diagnostics;
using System.Linq;
using Callsheet.Core;
using Callsheet.Editor;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    public class EditorTests
    {
        [TestCase("ws://127.0.0.1:8765/", false, "serve")]
        [TestCase("ws://127.0.0.1:9000/", true, "serve --port 9000 --engine scripted")]
        public void The_local_server_is_started_where_the_settings_point(string url, bool scripted, string arguments)
        {
            ProcessStartInfo start = LocalServer.Start("/opt/callsheet", url, scripted);
            Assert.That(start.FileName, Is.EqualTo("/opt/callsheet"));
            Assert.That(start.Arguments, Is.EqualTo(arguments));
        }

        [Test]
        public void Only_the_process_that_was_started_counts_as_the_local_server()
        {
            using (Process server = Sleep())
            {
                try
                {
                    LocalServer.Remember(server);
                    Assert.That(LocalServer.Running().Id, Is.EqualTo(server.Id));
                    // Another process has got the number meanwhile.
                    UnityEditor.SessionState.SetString(LocalServer.StartedState, DateTime.UtcNow.AddMinutes(-5).Ticks.ToString());
                    Assert.That(LocalServer.Running(), Is.Null);
                }
                finally
                {
                    server.Kill();
                    UnityEditor.SessionState.EraseInt(LocalServer.PidState);
                }
            }
        }

        [Test]
        public void Stop_local_server_ends_what_it_started_and_nothing_else()
        {
            using (Process ours = Sleep(), another = Sleep())
            {
                try
                {
                    Invoke(typeof(LocalServer), "Stop");
                    LocalServer.Remember(ours);
                    Assert.That(Invoke(typeof(LocalServer), "CanStop"), Is.True);
                    Invoke(typeof(LocalServer), "Stop");
                    Assert.That(ours.WaitForExit(10000));
                    Assert.That(another.HasExited, Is.False, "somebody else started it");
                    Assert.That(Invoke(typeof(LocalServer), "CanStop"), Is.False);
                }
                finally
                {
                    another.Kill();
                }
            }
        }

        private static Process Sleep() => Process.Start(new ProcessStartInfo("sleep", "60") { UseShellExecute = false });

        /// <summary>What a menu item calls.</summary>
        private static object Invoke(Type type, string method) =>
            type.GetMethod(method, System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic).Invoke(null, null);

        [Test]
        public void A_row_shows_distance_estimator_tier_and_the_last_reply()
        {
            var rig = new Rig();
            var world = new GameWorld(rig.Session, new WorldOptions());
            Npc bob = world.Add(new NpcSpec { Npc = "bob", Name = "Bob" });
            Assert.That(new NpcRow(bob).Distance, Is.EqualTo("?"));
            rig.Opened();
            rig.Server.SendText("{\"type\":\"npc_states\",\"game_time_s\":1,\"part\":0,\"parts\":1,\"npcs\":[{\"npc\":\"bob\",\"handle\":7,"
                + "\"position\":[0,0,0],\"distance_s\":12.34,\"estimator\":\"proximity\",\"tier\":\"host\",\"in_conversation\":false}],\"players\":[]}");
            rig.Server.SendText("{\"type\":\"reply_start\",\"seq\":1,\"reply\":1,\"npc\":\"bob\",\"speaker\":{\"kind\":\"narrator\"},\"heard\":\"Hi\"}");
            rig.Server.SendText("{\"type\":\"reply_delta\",\"seq\":2,\"reply\":1,\"text\":\"Good day.\"}");
            rig.Step();
            var row = new NpcRow(bob);
            Assert.That(row.Distance + " " + row.Estimator + " " + row.Tier + " " + row.Reply, Is.EqualTo("12.3 s proximity host Good day."));
        }
    }
}
