namespace UnityEngine.SceneManagement
{
    public struct Scene
    {
        internal Scene(int handle)
        {
            this.handle = handle;
        }

        public int handle { get; }
    }

    public class SceneManager
    {
        /// <summary>The scene that new objects come into. Not part of Unity's API as a field.</summary>
        public static int ActiveHandle = 1;

        public static Scene GetActiveScene() => new Scene(ActiveHandle);
    }
}
