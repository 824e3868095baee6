using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using UnityEngine;

namespace UnityEditor
{
    public class Editor : ScriptableObject
    {
        public UnityEngine.Object target { get; set; }

        public UnityEngine.Object[] targets => new[] { target };

        public virtual void OnInspectorGUI()
        {
        }

        public virtual bool RequiresConstantRepaint() => false;

        public bool DrawDefaultInspector() => false;
    }

    public class EditorWindow : ScriptableObject
    {
        public static T GetWindow<T>(string title)
            where T : EditorWindow => ScriptableObject.CreateInstance<T>();

        public void Repaint()
        {
        }
    }

    public class CustomEditor : Attribute
    {
        public CustomEditor(Type inspectedType)
        {
        }
    }

    public sealed class CanEditMultipleObjects : Attribute
    {
    }

    [AttributeUsage(AttributeTargets.Method)]
    public class InitializeOnLoadMethodAttribute : Attribute
    {
    }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class SettingsProviderAttribute : Attribute
    {
    }

    [AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
    public sealed class MenuItem : Attribute
    {
        public MenuItem(string itemName)
            : this(itemName, false)
        {
        }

        public MenuItem(string itemName, bool isValidateFunction)
        {
            this.menuItem = itemName;
            this.validate = isValidateFunction;
        }

        public string menuItem;

        public bool validate;

        public int priority;
    }

    public enum SettingsScope
    {
        User,
        Project,
    }

    public class SettingsProvider
    {
        public SettingsProvider(string path, SettingsScope scopes, IEnumerable<string> keywords = null)
        {
        }

        public string label { get; set; }

        public IEnumerable<string> keywords { get; set; }

        public Action<string> guiHandler { get; set; }
    }

    public sealed class EditorPrefs
    {
        private static readonly Dictionary<string, string> Values = new Dictionary<string, string>();

        public static string GetString(string key, string defaultValue) => Values.TryGetValue(key, out string value) ? value : defaultValue;

        public static void SetString(string key, string value) => Values[key] = value;
    }

    public class SessionState
    {
        private static readonly Dictionary<string, int> Values = new Dictionary<string, int>();
        private static readonly Dictionary<string, string> Texts = new Dictionary<string, string>();

        public static int GetInt(string key, int defaultValue) => Values.TryGetValue(key, out int value) ? value : defaultValue;

        public static void SetInt(string key, int value) => Values[key] = value;

        public static void EraseInt(string key) => Values.Remove(key);

        public static string GetString(string key, string defaultValue) => Texts.TryGetValue(key, out string value) ? value : defaultValue;

        public static void SetString(string key, string value) => Texts[key] = value;

        public static void EraseString(string key) => Texts.Remove(key);
    }

    public sealed class EditorApplication
    {
#pragma warning disable 67
        public static event Action quitting;

        public static event Action hierarchyChanged;

        public static event Action<PlayModeStateChange> playModeStateChanged;
#pragma warning restore 67

        /// <summary>The objects of a scene have changed. Not part of Unity's API.</summary>
        public static void ChangeHierarchy() => hierarchyChanged?.Invoke();

        /// <summary>Play mode is entered or left. Not part of Unity's API.</summary>
        public static void ChangePlayMode(PlayModeStateChange change) => playModeStateChanged?.Invoke(change);
    }

    public static class TypeCache
    {
        /// <summary>What is searched. Not part of Unity's API.</summary>
        public static readonly List<Type> Types = new List<Type>();

        public static MethodCollection GetMethodsWithAttribute<T>()
            where T : Attribute => new MethodCollection(typeof(T));

        public struct MethodCollection : IEnumerable<MethodInfo>
        {
            private readonly Type _attribute;

            internal MethodCollection(Type attribute)
            {
                _attribute = attribute;
            }

            public IEnumerator<MethodInfo> GetEnumerator()
            {
                Type attribute = _attribute;
                const BindingFlags own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
                return Types.SelectMany(type => type.GetMethods(own)).Where(method => Attribute.IsDefined(method, attribute, false)).GetEnumerator();
            }

            System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
        }
    }

    public enum MessageType
    {
        None,
        Info,
        Warning,
        Error,
    }

    public sealed class EditorGUILayout
    {
        /// <summary>Boxes and labels that were shown. Not part of Unity's API.</summary>
        public static readonly List<string> Shown = new List<string>();

        public static void HelpBox(string message, MessageType type) => Shown.Add(type + ": " + message);

        public static void LabelField(string label, params GUILayoutOption[] options) => Shown.Add(label);

        public static void LabelField(string label, string label2, params GUILayoutOption[] options) => Shown.Add(label + ": " + label2);

        public static string TextField(string label, string text, params GUILayoutOption[] options) => text;

        public static Vector2 BeginScrollView(Vector2 scrollPosition, params GUILayoutOption[] options) => scrollPosition;

        public static void EndScrollView()
        {
        }

        public static Rect BeginHorizontal(params GUILayoutOption[] options) => default(Rect);

        public static void EndHorizontal()
        {
        }

        public static void Space()
        {
        }

        public static bool PropertyField(SerializedProperty property, bool includeChildren, params GUILayoutOption[] options) => false;
    }
}
